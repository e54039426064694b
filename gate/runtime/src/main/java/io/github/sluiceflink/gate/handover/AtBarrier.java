package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** How a subtask stood at the barrier of a checkpoint. */
@AutoValue
public abstract class AtBarrier implements Serializable {

  /** The lowest kept timestamp of a subtask that keeps nothing. No event time is as high. */
  public static final long NOTHING_KEPT = Long.MAX_VALUE;

  AtBarrier() {}

  public static AtBarrier of(long attempt, long checkpoint, long watermark, long lowestKept) {
    return new AutoValue_AtBarrier(attempt, checkpoint, watermark, lowestKept);
  }

  /** The attempt that the subtask was told. */
  public abstract long attempt();

  /** The checkpoint. */
  public abstract long checkpoint();

  /** The gate's highest watermark. */
  public abstract long watermark();

  /** The lowest timestamp that it keeps, or {@link #NOTHING_KEPT}. */
  public abstract long lowestKept();

  /** Whether nothing below the cut can come from it any more, but what is late. */
  final boolean hasPassed(long cut) {
    return Times.hasReached(watermark(), cut) && lowestKept() >= cut;
  }
}
