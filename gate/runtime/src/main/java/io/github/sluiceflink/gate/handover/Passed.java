package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** Proof that nothing below the cut can come any more, but what is late. */
@AutoValue
public abstract class Passed {

  Passed() {}

  public static Passed of(long epoch, long checkpoint) {
    return new AutoValue_Passed(epoch, checkpoint);
  }

  /** Whose cut. */
  public abstract long epoch();

  /** The completed checkpoint at whose barrier every gate had passed the cut. */
  public abstract long checkpoint();
}
