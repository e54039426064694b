package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.OptionalLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Strategy SAVEPOINT: the incoming job's processes are up and the job itself is held back, until
 * the outgoing one has stopped with a savepoint and the record says whose turn it is.
 */
class SavepointHandoverTest {

  @Test
  void theIncomingJobWaitsUpAndReadyAndGoesOnFromTheSavepoint() throws Exception {
    try (Scene scene = new Scene("savepoint")) {
      WatermarkHandoverTest.bothWrote(new SavepointHandover(scene).run());
    }
  }

  @Test
  @Tag("torture")
  void theOutgoingJobGoesOnFromTheSavepointIfTheIncomingOneDoesNotComeUp() throws Exception {
    try (Scene scene = new Scene("savepoint-and-back")) {
      SavepointHandover handover = new SavepointHandover(scene);
      handover.hold();
      Deployment green = handover.green();
      // It gets no slots any more, so that it will never run.
      green.loseTaskManager();
      Flink.Savepoint savepoint = handover.stopBlue();
      handover.blue().close();
      scene.operator().makeActive(Scene.GREEN, 2, savepoint.path());
      green.awaitLog("It is this job's turn", 1);

      scene.operator().makeActive(Scene.BLUE, 2, savepoint.path());
      scene.say("blue is active again");
      Deployment again =
          scene
              .deployment(Scene.BLUE, "blue-again")
              .with("execution.savepoint.path", savepoint.path())
              .start();
      // As if nobody had told Kubernetes that it is to go.
      green.killJobManager();
      again.awaitRunning();
      green.awaitLog("was given up or replaced", 1);
      long records = scene.input().endSoon();
      again.awaitState("FINISHED");

      Ledger ledger = scene.check(records, OptionalLong.empty());
      assertEquals(0, ledger.recordsOf("GREEN"));
    }
  }
}
