package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** A record that a gate keeps. */
@AutoValue
public abstract class Kept<R> {

  Kept() {}

  public static <R> Kept<R> of(R record, long timestamp, long arrival) {
    return new AutoValue_Kept<>(record, Times.eventTime(timestamp), arrival);
  }

  /** The record. */
  public abstract R record();

  /** Its event time. */
  public abstract long timestamp();

  /** The gate's watermark when it came. */
  public abstract long arrival();
}
