package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** A subtask's answer to PREPARE. */
@AutoValue
public abstract class Answer implements Serializable {

  Answer() {}

  public static Answer of(long epoch, long highest, long watermark) {
    return new AutoValue_Answer(epoch, Times.eventTime(highest), watermark);
  }

  /** The epoch of the PREPARE. */
  public abstract long epoch();

  /** The highest timestamp that the subtask has emitted; it keeps back whatever is higher. */
  public abstract long highest();

  /** Its highest watermark. */
  public abstract long watermark();
}
