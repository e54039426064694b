package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** The gates of a job, taken together. */
@AutoValue
public abstract class GatesReport {

  /** No gate has said anything yet. */
  public static final GatesReport NONE =
      of(false, Times.NO_WATERMARK, Times.NO_TIMESTAMP, Figures.NONE);

  GatesReport() {}

  public static GatesReport of(
      boolean allReporting, long watermark, long highestDropped, Figures figures) {
    return new AutoValue_GatesReport(
        allReporting, watermark, Times.eventTime(highestDropped), figures);
  }

  /** Whether every subtask that has not finished has reported in this attempt. */
  public abstract boolean allReporting();

  /** The lowest watermark of the subtasks that reported. */
  public abstract long watermark();

  /** The highest timestamp of a record that was dropped. */
  public abstract long highestDropped();

  /** What was counted. */
  public abstract Figures figures();
}
