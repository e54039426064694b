package io.github.sluiceflink.gate.flink;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.CompositeType;
import org.apache.flink.api.java.typeutils.PojoTypeInfo;
import org.apache.flink.api.java.typeutils.TupleTypeInfoBase;
import org.apache.flink.configuration.ConfigOption;

/** Chooses where the event times of records are found, and refuses what cannot be. */
final class TimestampsChoice {

  private static final String ROW_DATA = "org.apache.flink.table.data.RowData";

  private TimestampsChoice() {}

  static <T> Timestamps<T> of(
      GateOptions options, TypeInformation<T> type, int rowtime, ClassLoader users) {
    refuseSeveral(options);
    if (options.extractorClass().isPresent()) {
      return new ExtractedTimestamps<>(extractor(options.extractorClass().get(), users));
    }
    if (options.fieldPath().isPresent()) {
      String path = options.fieldPath().get();
      return ofPath(GateOptions.FIELD_PATH, path, Arrays.asList(path.split("\\.", -1)), type);
    }
    if (options.fieldName().isPresent()) {
      String name = options.fieldName().get();
      return ofPath(GateOptions.FIELD_NAME, name, List.of(name), type);
    }
    if (options.fieldIndex().isPresent()) {
      return ofIndex(GateOptions.FIELD_INDEX.key(), options.fieldIndex().get(), type);
    }
    return rowtime < 0 ? Timestamps.own() : ofIndex("the time of the rows", rowtime, type);
  }

  private static void refuseSeveral(GateOptions options) {
    List<String> given = new ArrayList<>();
    options.extractorClass().ifPresent(it -> given.add(GateOptions.EXTRACTOR_CLASS.key()));
    options.fieldPath().ifPresent(it -> given.add(GateOptions.FIELD_PATH.key()));
    options.fieldName().ifPresent(it -> given.add(GateOptions.FIELD_NAME.key()));
    options.fieldIndex().ifPresent(it -> given.add(GateOptions.FIELD_INDEX.key()));
    if (given.size() > 1) {
      throw new IllegalArgumentException(
          String.join(" and ", given) + " are set; a record has one timestamp, so set one of them");
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> Function<T, Object> extractor(String name, ClassLoader users) {
    String found;
    try {
      Object extractor = Class.forName(name, true, users).getDeclaredConstructor().newInstance();
      if (extractor instanceof Function && extractor instanceof Serializable) {
        return (Function<T, Object>) extractor;
      }
      found = "is not a serializable java.util.function.Function";
    } catch (ClassNotFoundException e) {
      found = "is not among the job's classes";
    } catch (NoSuchMethodException e) {
      found = "has no constructor without parameters";
    } catch (ReflectiveOperationException | LinkageError e) {
      found = "cannot be instantiated (" + e + ")";
    }
    throw new IllegalArgumentException(
        GateOptions.EXTRACTOR_CLASS.key()
            + " is "
            + name
            + ", which "
            + found
            + "; name a public class that is a serializable Function from a record to its"
            + " milliseconds since 1970");
  }

  private static <T> Timestamps<T> ofPath(
      ConfigOption<String> option, String given, List<String> path, TypeInformation<T> type) {
    if (path.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException(
          option.key() + " is \"" + given + "\"; give the names of fields, with dots between them");
    }
    if (isRowData(type)) {
      return RowDataTimestamps.of(option.key() + " " + given, path, type);
    }
    if (type instanceof PojoTypeInfo || type instanceof TupleTypeInfoBase) {
      CompositeType<?> fields = (CompositeType<?>) type;
      if (fields.getFieldIndex(path.get(0)) < 0) {
        throw new IllegalArgumentException(
            option.key()
                + " is "
                + given
                + ", but the records are of "
                + type
                + ", which has the fields "
                + String.join(", ", fields.getFieldNames()));
      }
    }
    return new FieldTimestamps<>(path);
  }

  private static <T> Timestamps<T> ofIndex(String option, int index, TypeInformation<T> type) {
    if (isRowData(type)) {
      return RowDataTimestamps.of(option + " " + index, index, type);
    }
    if (type instanceof TupleTypeInfoBase && (index < 0 || index >= type.getArity())) {
      throw new IllegalArgumentException(
          option + " is " + index + ", but the records have " + type.getArity() + " fields");
    }
    return new FieldTimestamps<>(List.of(Integer.toString(index)));
  }

  /** Looked at by name, because a job without tables has no such class. */
  private static boolean isRowData(TypeInformation<?> type) {
    return type != null && type.getTypeClass().getName().equals(ROW_DATA);
  }
}
