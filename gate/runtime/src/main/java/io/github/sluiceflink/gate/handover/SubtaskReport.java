package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** What a subtask reports every second. */
@AutoValue
public abstract class SubtaskReport implements Serializable {

  SubtaskReport() {}

  public static SubtaskReport of(
      long epoch, long highest, long dropped, long watermark, boolean idle, Figures figures) {
    return new AutoValue_SubtaskReport(
        epoch, Times.eventTime(highest), Times.eventTime(dropped), watermark, idle, figures);
  }

  /** The epoch of the orders that it reports under. */
  public abstract long epoch();

  /** The highest timestamp that it has emitted. */
  public abstract long highest();

  /** The highest timestamp that it has dropped. */
  public abstract long dropped();

  /** Its highest watermark. */
  public abstract long watermark();

  /** Whether its input is idle. */
  public abstract boolean idle();

  /** What it counted. */
  public abstract Figures figures();
}
