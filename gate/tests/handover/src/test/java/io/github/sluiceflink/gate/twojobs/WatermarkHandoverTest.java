package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.twojobs.Handover.Point;
import org.junit.jupiter.api.Test;

/**
 * Strategy WATERMARK, driven through the record as the operator drives it. Every record of the
 * input is counted in what both jobs have committed: none may be missing, none there twice, none on
 * the wrong side of the cut.
 */
class WatermarkHandoverTest {

  /** What the first has done must not show: nothing goes wrong in the next. */
  @Test
  void aHandoverGivenUpWithItsCutWrittenLeavesEverythingToTheOutgoingJobAndTheNextOneGoesWell()
      throws Exception {
    try (Scene scene = new Scene("watermark")) {
      bothWrote(new Handover(scene).nextAfterGivingUpAt(Point.CUT).run());
    }
  }

  /**
   * The outgoing job starts over with the cut unknown to its subtasks, and is told COMMIT at once.
   * The incoming one starts over when it has taken over, on the TaskManager that lives on.
   */
  @Test
  void theOutgoingTaskManagerDiesWithTheCutAndTheIncomingOneAtCommitAndItsJobManagerAfterwards()
      throws Exception {
    try (Scene scene = new Scene("watermark-processes-die")) {
      bothWrote(
          new Handover(scene)
              .at(Point.CUT, it -> it.blue().killTaskManager())
              .at(Point.COMMIT, it -> it.green().killTaskManager())
              .at(Point.STABLE, it -> it.green().killJobManager())
              .run());
    }
  }

  static void bothWrote(Ledger ledger) {
    assertTrue(ledger.recordsOf("BLUE") > 0, ledger::toString);
    assertTrue(ledger.recordsOf("GREEN") > 0, ledger::toString);
  }
}
