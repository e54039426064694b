package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Finished;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which subtasks count as finished after a restart. */
final class FinishedMarksTest {

  private final FinishedMarks marks = new FinishedMarks();

  @Test
  void aCheckpointInWhichAllHadFinishedLetsThemRest() throws Exception {
    marks.put(0, Finished.of(10, 4));
    marks.put(1, Finished.of(12, 5));
    FinishedMarks restored = FinishedMarks.restore(marks.write(3), 3, 2);
    assertEquals(Optional.of(Finished.of(12, 5)), restored.of(1));
    restored.reset(1, 3, 2);
    assertTrue(restored.of(1).isPresent());
  }

  @Test
  void oneInWhichOnlySomeHadLetsAllRunAgain() throws Exception {
    marks.put(0, Finished.of(10, 4));
    FinishedMarks restored = FinishedMarks.restore(marks.write(3), 3, 2);
    assertFalse(restored.of(0).isPresent());
  }

  @Test
  void aSubtaskThatStartsAgainFromBeforeItsEndHasNotFinished() {
    marks.put(0, Finished.of(10, 4));
    marks.write(3);
    marks.put(1, Finished.of(12, 5));
    marks.write(4);
    marks.reset(1, 3, 2);
    assertFalse(marks.of(1).isPresent());
    assertTrue(marks.of(0).isPresent(), "this one was not started again");
  }

  @Test
  void nothingIsRestoredFromNothing() throws Exception {
    assertFalse(FinishedMarks.restore(null, -1, 2).of(0).isPresent());
  }
}
