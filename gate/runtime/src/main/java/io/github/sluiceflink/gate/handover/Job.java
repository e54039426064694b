package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/**
 * A job, as the record knows it. The colour alone would not tell a job from a later one in its
 * place.
 */
@AutoValue
public abstract class Job {

  Job() {}

  /** A job of this colour. The epoch that it was created for stays with it for life. */
  public static Job of(Color color, long createdFor) {
    return new AutoValue_Job(color, createdFor);
  }

  /** Its colour. */
  public abstract Color color();

  /** The epoch that it was created for. */
  public abstract long createdFor();
}
