package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.List;
import java.util.OptionalLong;

/** The gates of a job, taken together, and each. */
@AutoValue
public abstract class GatesReport {

  /** No gate has said anything yet. */
  public static final GatesReport NONE =
      of(
          false,
          OptionalLong.empty(),
          Times.NO_WATERMARK,
          Times.NO_TIMESTAMP,
          Figures.NONE,
          List.of());

  GatesReport() {}

  public static GatesReport of(
      boolean allReporting,
      OptionalLong heard,
      long watermark,
      long highestDropped,
      Figures figures,
      List<GateReport> each) {
    return new AutoValue_GatesReport(
        allReporting,
        heard,
        watermark,
        Times.eventTime(highestDropped),
        figures,
        List.copyOf(each));
  }

  /** Whether every subtask that has not finished has reported in this attempt. */
  public abstract boolean allReporting();

  /**
   * Once they all have: the lowest epoch of the orders that they reported under; where all have
   * finished, that of the record. What is said of dropped records includes all that were dropped
   * under earlier orders.
   */
  public abstract OptionalLong heard();

  /**
   * The lowest watermark of the subtasks that reported; one that has finished is at the end of its
   * input.
   */
  public abstract long watermark();

  /** The highest timestamp of a record that was dropped. */
  public abstract long highestDropped();

  /** What was counted. */
  public abstract Figures figures();

  /** Every gate by itself of which something is known, in the order of their numbers. */
  public abstract List<GateReport> each();
}
