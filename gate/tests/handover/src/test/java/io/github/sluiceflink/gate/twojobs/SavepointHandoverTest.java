package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
      scene.operator().create(Scene.BLUE);
      Deployment blue = scene.deployment(Scene.BLUE, "blue").start().awaitRunning();
      scene.say("blue runs");
      Deployment green = held(scene);
      blue.awaitCheckpoints(1);

      long records = handOver(scene, blue, green);

      Ledger ledger = scene.check(records, OptionalLong.empty());
      assertTrue(ledger.recordsOf("BLUE") > 0 && ledger.recordsOf("GREEN") > 0, ledger::toString);
    }
  }

  @Test
  @Tag("torture")
  void anIncomingJobKilledWhileItIsHeldBackIsHeldBackAgain() throws Exception {
    try (Scene scene = new Scene("savepoint-killed-while-held")) {
      scene.operator().create(Scene.BLUE);
      Deployment blue = scene.deployment(Scene.BLUE, "blue").start().awaitRunning();
      Deployment green = held(scene);
      blue.awaitCheckpoints(1);
      green.killTaskManager();
      green.killJobManager();
      green.awaitHeldBack(2);
      green.awaitTaskManagers(1);

      long records = handOver(scene, blue, green);

      Ledger ledger = scene.check(records, OptionalLong.empty());
      assertTrue(ledger.recordsOf("BLUE") > 0 && ledger.recordsOf("GREEN") > 0, ledger::toString);
    }
  }

  @Test
  @Tag("torture")
  void theOutgoingJobGoesOnFromTheSavepointIfTheIncomingOneDoesNotComeUp() throws Exception {
    try (Scene scene = new Scene("savepoint-and-back")) {
      scene.operator().create(Scene.BLUE);
      Deployment blue = scene.deployment(Scene.BLUE, "blue").start().awaitRunning();
      Deployment green = held(scene);
      blue.awaitCheckpoints(1);
      // It gets no slots any more, so that it will never run.
      green.loseTaskManager();
      Flink.Savepoint savepoint = blue.flink().stop(blue.job(), blue.savepoints(), false);
      blue.awaitState("FINISHED");
      blue.close();
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

  /** The incoming job, its processes up. */
  private static Deployment held(Scene scene) throws Exception {
    Deployment green =
        scene
            .deployment(Scene.GREEN, "green")
            .with("bluegreen.handover.await-savepoint", true)
            .start();
    green.awaitHeldBack(1);
    green.awaitTaskManagers(1);
    scene.say("green is up and held back");
    assertEquals("ABSENT", green.flink().state(green.job()));
    return green;
  }

  /** Returns how many records each split has in the end. */
  private static long handOver(Scene scene, Deployment blue, Deployment green) throws Exception {
    long stopping = System.currentTimeMillis();
    Flink.Savepoint savepoint = blue.flink().stop(blue.job(), blue.savepoints(), false);
    blue.awaitState("FINISHED");
    scene.operator().makeActive(Scene.GREEN, 2, savepoint.path());
    scene.say("green's turn");
    long turn = System.currentTimeMillis();
    green.awaitRunning();
    long running = System.currentTimeMillis();
    scene.say("green runs");
    blue.close();
    green.awaitCheckpoints(1);
    long records = scene.input().endSoon();
    green.awaitState("FINISHED");
    Ledger ledger = scene.check(records, OptionalLong.empty());
    System.out.printf(
        "  pause of output %d ms; stop with savepoint %d ms, from the record to all tasks running %d"
            + " ms, to the first record %d ms%n",
        ledger.pauseAround(stopping, running + 2_000),
        turn - stopping,
        running - turn,
        ledger.firstWritten("GREEN").orElseThrow() - turn);
    return records;
  }
}
