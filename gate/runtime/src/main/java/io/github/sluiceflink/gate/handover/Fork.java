package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** Where the incoming job was forked off. */
@AutoValue
public abstract class Fork {

  Fork() {}

  public static Fork of(long checkpoint, long attempt) {
    return new AutoValue_Fork(checkpoint, attempt);
  }

  /** The savepoint. */
  public abstract long checkpoint();

  /** The attempt of the outgoing job in which it was taken. */
  public abstract long attempt();
}
