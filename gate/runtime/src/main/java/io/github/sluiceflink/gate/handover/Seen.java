package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** A record with the version in which it was read. */
@AutoValue
public abstract class Seen {

  Seen() {}

  public static Seen of(long version, HandoverRecord handover) {
    return new AutoValue_Seen(version, handover);
  }

  /** The version; a later one is larger. */
  public abstract long version();

  /** What it says. */
  public abstract HandoverRecord handover();
}
