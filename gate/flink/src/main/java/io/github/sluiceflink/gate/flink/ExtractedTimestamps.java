package io.github.sluiceflink.gate.flink;

import java.util.function.Function;

/** Timestamps that a function of the user's finds. */
final class ExtractedTimestamps<T> extends ReadTimestamps<T> {

  private static final long serialVersionUID = 1L;

  /** Serializable, which was checked. */
  private final Function<T, Object> extractor;

  ExtractedTimestamps(Function<T, Object> extractor) {
    this.extractor = extractor;
  }

  @Override
  Object read(T record) {
    return extractor.apply(record);
  }

  @Override
  String where() {
    return "what " + extractor.getClass().getName() + " finds";
  }
}
