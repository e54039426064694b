package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** What the user chose for the gates ({@code bluegreen.gate.*}). */
@AutoValue
public abstract class Rules implements Serializable {

  /** When the incoming job begins to emit ({@code bluegreen.gate.ordering}). */
  public enum Ordering {
    /** At COMMIT, while the outgoing job still writes what is below the cut. */
    OVERLAP,
    /** When the outgoing job is sealed. */
    STRICT
  }

  /** Which job emits late records ({@code bluegreen.gate.late-records}). */
  public enum LateRecords {
    /** Both jobs, so that one may be written twice. */
    BOTH,
    /** Only the outgoing job. */
    OUTGOING
  }

  /** What holds if the user chose nothing. */
  public static final Rules DEFAULT = of(Ordering.OVERLAP, LateRecords.BOTH);

  Rules() {}

  public static Rules of(Ordering ordering, LateRecords lateRecords) {
    return new AutoValue_Rules(ordering, lateRecords);
  }

  public abstract Ordering ordering();

  public abstract LateRecords lateRecords();
}
