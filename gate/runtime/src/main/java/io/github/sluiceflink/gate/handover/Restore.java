package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.OptionalLong;

/** What one attempt restored. */
@AutoValue
public abstract class Restore {

  Restore() {}

  public static Restore of(long attempt, OptionalLong checkpoint) {
    return new AutoValue_Restore(attempt, checkpoint);
  }

  /** The attempt. */
  public abstract long attempt();

  /** The checkpoint or savepoint; none if it started from nothing. */
  public abstract OptionalLong checkpoint();
}
