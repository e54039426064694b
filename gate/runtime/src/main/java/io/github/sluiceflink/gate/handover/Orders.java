package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** What a coordinator tells its subtasks. */
@AutoValue
public abstract class Orders implements Serializable {

  Orders() {}

  public static Orders of(long epoch, long attempt, Told told) {
    return new AutoValue_Orders(epoch, attempt, told);
  }

  /** The epoch of the record. */
  public abstract long epoch();

  /** The attempt of the coordinator's job. */
  public abstract long attempt();

  /** What the record means for this job. */
  public abstract Told told();

  final boolean isOlderThan(Orders other) {
    return attempt() < other.attempt() || (attempt() == other.attempt() && epoch() < other.epoch());
  }
}
