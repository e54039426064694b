package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** What is left of a subtask that has come to the end of its input. */
@AutoValue
public abstract class Finished implements Serializable {

  Finished() {}

  public static Finished of(long highest, long dropped) {
    return new AutoValue_Finished(Times.eventTime(highest), Times.eventTime(dropped));
  }

  /** The highest timestamp that it has emitted. */
  public abstract long highest();

  /** The highest timestamp that it has dropped. */
  public abstract long dropped();
}
