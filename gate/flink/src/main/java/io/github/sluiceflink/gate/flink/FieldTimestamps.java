package io.github.sluiceflink.gate.flink;

import java.util.ArrayList;
import java.util.List;

/** Timestamps in a field, perhaps in a field of a field. */
final class FieldTimestamps<T> extends ReadTimestamps<T> {

  private static final long serialVersionUID = 1L;

  private final ArrayList<String> path;
  private transient List<FieldReader> readers;

  FieldTimestamps(List<String> path) {
    this.path = new ArrayList<>(path);
  }

  @Override
  Object read(T record) throws Exception {
    if (readers == null) {
      readers = new ArrayList<>();
      path.forEach(name -> readers.add(new FieldReader(name)));
    }
    Object value = record;
    for (FieldReader reader : readers) {
      if (value == null) {
        return null;
      }
      value = reader.read(value);
    }
    return value;
  }

  @Override
  String where() {
    return "the field " + String.join(".", path);
  }
}
