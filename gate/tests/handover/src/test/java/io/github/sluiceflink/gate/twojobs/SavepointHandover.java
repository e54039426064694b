package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sluiceflink.gate.twojobs.Faults.Fault;
import java.io.IOException;
import java.util.OptionalLong;

/** A handover with strategy SAVEPOINT from blue to green, with things that go wrong on the way. */
final class SavepointHandover {

  /** Where something can go wrong. */
  enum Point {
    /** The incoming job's processes are up, the job is held back; the outgoing one runs. */
    HELD,
    /** The outgoing job has been told to stop with a savepoint, and has not answered. */
    STOPPING,
    /** The record has just been written: it is the incoming job's turn. */
    RELEASED,
    /** Every task of the incoming job runs. */
    RUNNING
  }

  private final Scene scene;
  private final Deployment blue;
  private final Deployment green;
  private final Faults<Point, SavepointHandover> faults;

  SavepointHandover(Scene scene) throws Exception {
    this.scene = scene;
    faults = new Faults<>(Point.class, scene);
    scene.operator().create(Scene.BLUE);
    blue = scene.deployment(Scene.BLUE, "blue");
    green = scene.deployment(Scene.GREEN, "green").with("bluegreen.handover.await-savepoint", true);
  }

  /** Lets this go wrong there. */
  SavepointHandover at(Point point, Fault<SavepointHandover> fault) {
    faults.add(point, fault);
    return this;
  }

  Deployment blue() {
    return blue;
  }

  Deployment green() {
    return green;
  }

  /** Until the incoming job is held back, its processes up, and the outgoing one has worked. */
  void hold() throws Exception {
    blue.start().awaitRunning();
    scene.say("blue runs");
    green.start().awaitHeldBack(1);
    blue.awaitCheckpoints(1);
    faults.reach(Point.HELD, this);
    blue.awaitRunning();
    green.awaitTaskManagers(1);
    assertEquals("ABSENT", green.flink().state(green.job()));
    scene.say("green is up and held back");
  }

  /** Hands over, ends the input, and counts. */
  Ledger run() throws Exception {
    hold();
    long stopping = System.currentTimeMillis();
    Flink.Savepoint savepoint = stopBlue();
    scene.operator().makeActive(Scene.GREEN, 2, savepoint.path());
    scene.say("green's turn");
    long turn = System.currentTimeMillis();
    faults.reach(Point.RELEASED, this);
    green.awaitRunning();
    long running = System.currentTimeMillis();
    scene.say("green runs");
    faults.reach(Point.RUNNING, this);
    blue.close();
    green.awaitRunning();
    green.awaitCheckpoints(1);
    long records = scene.input().endSoon();
    green.awaitState("FINISHED");
    Ledger ledger = scene.check(records, OptionalLong.empty());
    scene.say(
        ("pause of output %d ms; stop with savepoint %d ms, from the record to all tasks running"
                + " %d ms, to the first record %d ms")
            .formatted(
                ledger.pauseAround(stopping, running + 2_000),
                turn - stopping,
                running - turn,
                ledger.firstWritten("GREEN").orElseThrow() - turn));
    return ledger;
  }

  /** Stops the outgoing job with a savepoint; what comes to nothing is tried again. */
  Flink.Savepoint stopBlue() throws Exception {
    boolean disturbed = faults.any(Point.STOPPING);
    long deadline = System.nanoTime() + Operator.PATIENCE.toNanos();
    while (true) {
      try {
        String trigger = blue.flink().triggerStop(blue.job(), blue.savepoints(), false);
        if (disturbed) {
          disturbed = false;
          Jvm asked = blue.jobManager();
          faults.reach(Point.STOPPING, this);
          if (asked != blue.jobManager()) {
            throw new IOException("the one that was asked is dead");
          }
        }
        Flink.Savepoint savepoint = blue.flink().await(blue.job(), trigger);
        blue.awaitState("FINISHED");
        return savepoint;
      } catch (IOException e) {
        String why = String.valueOf(e.getMessage());
        scene.say("blue cannot be stopped yet: " + why.substring(0, Math.min(why.length(), 200)));
        if (System.nanoTime() > deadline) {
          throw e;
        }
        Thread.sleep(1_000);
      }
    }
  }
}
