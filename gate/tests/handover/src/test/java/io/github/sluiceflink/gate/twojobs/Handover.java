package io.github.sluiceflink.gate.twojobs;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.twojobs.Faults.Fault;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** A handover with strategy WATERMARK from blue to green, with things that go wrong on the way. */
final class Handover {

  /** Where something can go wrong. */
  enum Point {
    /**
     * The record says STANDBY, the incoming job runs, the outgoing one has completed a checkpoint
     * since.
     */
    STANDBY,
    /** PREPARE was written, and the outgoing job's tasks stand still, so that none has answered. */
    ASKED,
    /** W stands in the record, and COMMIT does not. */
    CUT,
    /** COMMIT has just been written. */
    COMMIT,
    /** The outgoing job has passed the cut, and runs. */
    DRAINED,
    /** SEALED has just been written; the outgoing job has ended. */
    SEALED,
    /** The incoming job has become the active one. */
    STABLE,
    /** ABORT has just been written, instead of COMMIT. */
    ABORT
  }

  private final Scene scene;
  private final Deployment blue;
  private final Job incoming;
  private final Deployment green;
  private final Faults<Point, Handover> faults;
  private long caughtUpWithin = 500;

  Handover(Scene scene) throws Exception {
    this(scene, gated(scene, Scene.BLUE, "blue"), Scene.GREEN, "green");
    scene.operator().create(Scene.BLUE);
  }

  private Handover(Scene scene, Deployment blue, Job incoming, String name) throws Exception {
    this.scene = scene;
    this.blue = blue;
    this.incoming = incoming;
    green = gated(scene, incoming, name);
    faults = new Faults<>(Point.class, scene);
  }

  private static Deployment gated(Scene scene, Job job, String name) throws Exception {
    return scene
        .deployment(job, name)
        .with("bluegreen.sinks.epoch", job.createdFor())
        .with("bluegreen.gate.injection.enabled", true)
        .with("bluegreen.gate.strategy", "WATERMARK")
        .with("bluegreen.gate.report-interval", "200 ms");
  }

  /** A key of Flink's configuration, for both jobs. */
  Handover with(String key, Object value) {
    blue.with(key, value);
    green.with(key, value);
    return this;
  }

  /** Something of the incoming job alone. */
  Handover green(Consumer<Deployment> change) {
    change.accept(green);
    return this;
  }

  /** PREPARE is written although the incoming job is so many milliseconds behind. */
  Handover caughtUpWithin(long milliseconds) {
    caughtUpWithin = milliseconds;
    return this;
  }

  /** Lets this go wrong there. */
  Handover at(Point point, Fault<Handover> fault) {
    faults.add(point, fault);
    return this;
  }

  Scene scene() {
    return scene;
  }

  Deployment blue() {
    return blue;
  }

  Deployment green() {
    return green;
  }

  /** Hands over, ends the input, and counts. */
  Ledger run() throws Exception {
    fork();
    long cut = prepare();
    scene.operator().commit();
    scene.say("COMMIT at " + cut);
    faults.reach(Point.COMMIT, this);
    scene.operator().awaitPassed(Color.BLUE);
    scene.say("blue has passed the cut");
    faults.reach(Point.DRAINED, this);
    stopBlue();
    scene.operator().seal();
    faults.reach(Point.SEALED, this);
    scene.operator().awaitPassed(Color.GREEN);
    scene.say("green has passed the cut");
    scene.operator().stable(incoming);
    faults.reach(Point.STABLE, this);
    green.awaitRunning();
    green.awaitCheckpoints(1);
    long records = scene.input().endSoon();
    green.awaitState("FINISHED");
    Ledger ledger = scene.check(records, OptionalLong.of(cut));
    long committed = scene.operator().committedAt();
    scene.say(
        "from COMMIT to green's first record %d ms; longest pause of output %d ms"
            .formatted(
                ledger.firstWritten("GREEN").orElseThrow() - committed,
                ledger.pauseAround(committed - 2_000, committed + 5_000)));
    return ledger;
  }

  /** Gives the handover up there; blue goes on alone to the end, and green is gone. */
  Ledger runAndGiveUpAt(Point point) throws Exception {
    giveUpAt(point);
    long records = scene.input().endSoon();
    blue.awaitState("FINISHED");
    return scene.check(records, OptionalLong.of(Long.MAX_VALUE));
  }

  /** Gives the handover up there. Returns the next one, from the same blue to another green. */
  Handover nextAfterGivingUpAt(Point point) throws Exception {
    giveUpAt(point);
    return new Handover(scene, blue, Job.of(Color.GREEN, incoming.createdFor() + 1), "green-again");
  }

  private void giveUpAt(Point point) throws Exception {
    fork();
    if (point != Point.STANDBY) {
      scene.operator().prepare();
    }
    if (point == Point.CUT) {
      scene.operator().awaitCut();
    }
    scene.operator().abort("the test wants it");
    faults.reach(Point.ABORT, this);
    blue.awaitRunning();
    blue.awaitCheckpoints(2);
    green.close();
    scene.operator().stableAgain();
    blue.awaitCheckpoints(1);
  }

  /** Until the incoming job runs and has caught up. */
  private void fork() throws Exception {
    if (!blue.isStarted()) {
      blue.start().awaitRunning();
      scene.say("blue runs");
    }
    blue.awaitCheckpoints(2);
    Flink.Savepoint savepoint = blue.flink().savepoint(blue.job(), blue.savepoints());
    scene.operator().standby(incoming, savepoint.id());
    green.with("execution.savepoint.path", savepoint.path()).start().awaitRunning();
    scene.say("green runs");
    scene.operator().awaitReady(caughtUpWithin);
    faults.reach(Point.STANDBY, this);
    blue.awaitRunning();
    green.awaitRunning();
    scene.operator().awaitReady(caughtUpWithin);
    scene.say("green is ready");
  }

  private long prepare() throws Exception {
    boolean asked = faults.any(Point.ASKED);
    if (asked) {
      blue.taskManager().freeze();
    }
    scene.operator().prepare();
    if (asked) {
      faults.reach(Point.ASKED, this);
      blue.taskManager().thaw();
    }
    long cut = scene.operator().awaitCut();
    faults.reach(Point.CUT, this);
    return cut;
  }

  /** A stop that the job is too busy restarting to carry out is tried again. */
  private void stopBlue() throws Exception {
    long deadline = System.nanoTime() + Operator.PATIENCE.toNanos();
    while (!blue.flink().state(blue.job()).equals("FINISHED")) {
      try {
        blue.flink().stop(blue.job(), blue.savepoints(), true);
        blue.awaitState("FINISHED");
      } catch (java.io.IOException e) {
        String why = String.valueOf(e.getMessage());
        scene.say("blue cannot be stopped yet: " + why.substring(0, Math.min(why.length(), 200)));
        if (System.nanoTime() > deadline) {
          throw e;
        }
        Thread.sleep(1_000);
      }
    }
    scene.say("blue has stopped");
    blue.close();
  }
}
