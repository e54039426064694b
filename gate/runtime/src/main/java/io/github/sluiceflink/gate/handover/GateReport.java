package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;

/** One gate, its subtasks taken together. */
@AutoValue
public abstract class GateReport {

  GateReport() {}

  public static GateReport of(
      int gate, String name, long watermark, boolean idle, Figures figures) {
    return new AutoValue_GateReport(gate, name, watermark, idle, figures);
  }

  /** Its number. */
  public abstract int gate();

  /** What people call it: the name of the sink that it stands before. Empty if it is not known. */
  public abstract String name();

  /**
   * The lowest watermark of its subtasks that reported; one that has finished is at the end of its
   * input.
   */
  public abstract long watermark();

  /** Whether all its subtasks that have not finished are idle, and there are some. */
  public abstract boolean idle();

  /** What was counted. */
  public abstract Figures figures();
}
