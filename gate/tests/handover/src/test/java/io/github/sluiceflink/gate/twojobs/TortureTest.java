package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sluiceflink.gate.twojobs.Faults.Fault;
import io.github.sluiceflink.gate.twojobs.Handover.Point;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * Everything that goes wrong, at every point of a handover: {@code mvn verify -Ptorture}. With
 * {@code -Dtorture.only=<regular expression>} only those whose names fit.
 */
@Tag("torture")
class TortureTest {

  /** How long a process or the record stands still, in milliseconds. */
  private static final long PAUSE = 4_000;

  private final List<DynamicTest> tests = new ArrayList<>();

  @TestFactory
  Stream<DynamicTest> everything() {
    processesDie();
    processesStandStill();
    theRecordIsGone();
    theRecordSaysSomethingOld();
    inputs();
    jobs();
    givenUp();
    savepoints();
    Pattern only = Pattern.compile(System.getProperty("torture.only", ""));
    return tests.stream().filter(test -> only.matcher(test.getDisplayName()).find());
  }

  private void processesDie() {
    Map<String, Fault<Handover>> deaths = new TreeMap<>();
    deaths.put("blue-taskmanager", it -> it.blue().killTaskManager());
    deaths.put("blue-jobmanager", it -> it.blue().killJobManager());
    deaths.put("green-taskmanager", it -> it.green().killTaskManager());
    deaths.put("green-jobmanager", it -> it.green().killJobManager());
    deaths.forEach(
        (name, death) -> {
          boolean ofBlue = name.startsWith("blue");
          for (Point point : EnumSet.complementOf(EnumSet.of(Point.ABORT))) {
            boolean blueIsThere = point.compareTo(Point.SEALED) < 0;
            if (!ofBlue || blueIsThere) {
              add("killed-" + name + "-" + point, it -> it.at(point, death));
            }
          }
        });
    add(
        "killed-all-taskmanagers-COMMIT",
        it ->
            it.at(Point.COMMIT, deaths.get("blue-taskmanager"))
                .at(Point.COMMIT, deaths.get("green-taskmanager")));
    add(
        "killed-both-jobmanagers-COMMIT",
        it ->
            it.at(Point.COMMIT, deaths.get("blue-jobmanager"))
                .at(Point.COMMIT, deaths.get("green-jobmanager")));
  }

  /** Longer than it takes to be given up for dead, so that a deposed process comes back. */
  private void processesStandStill() {
    for (Point point : List.of(Point.STANDBY, Point.CUT, Point.COMMIT)) {
      add(
          "frozen-blue-jobmanager-" + point,
          it -> it.at(point, on -> stop(on.blue().jobManager(), PAUSE)));
      add(
          "frozen-green-jobmanager-" + point,
          it -> it.at(point, on -> stop(on.green().jobManager(), PAUSE)));
      add(
          "frozen-blue-taskmanager-" + point,
          it -> it.at(point, on -> stop(on.blue().taskManager(), 2 * PAUSE)));
      add(
          "frozen-green-taskmanager-" + point,
          it -> it.at(point, on -> stop(on.green().taskManager(), 2 * PAUSE)));
    }
  }

  private static void stop(Jvm process, long milliseconds) throws Exception {
    process.freeze();
    Thread.sleep(milliseconds);
    process.thaw();
  }

  /** Nobody can read or write it for a while, as when the API server is down. */
  private void theRecordIsGone() {
    for (Point point : EnumSet.complementOf(EnumSet.of(Point.ABORT))) {
      add(
          "record-gone-" + point,
          it -> it.at(point, on -> RecordFaults.away(on.scene().record(), PAUSE)));
    }
    add(
        "record-gone-and-tasks-restarted-COMMIT",
        it ->
            it.at(
                Point.COMMIT,
                on ->
                    RecordFaults.away(
                        on.scene().record(),
                        PAUSE,
                        () -> {
                          on.blue().killTaskManager();
                          on.green().killTaskManager();
                        })));
  }

  private void theRecordSaysSomethingOld() {
    for (Point point : List.of(Point.STANDBY, Point.CUT, Point.COMMIT, Point.SEALED)) {
      add(
          "record-rolled-back-" + point,
          it -> it.at(point, on -> RecordFaults.oldContent(on.scene(), 1_500)));
      add(
          "record-old-version-comes-back-" + point,
          it -> it.at(point, on -> RecordFaults.oldVersion(on.scene().record())));
    }
  }

  private void inputs() {
    add(
        "input-silent-split",
        scene -> scene.with(scene.input().withSilentSplit(3, 1_000)),
        it -> it);
    add(
        "input-slow-split",
        scene -> scene.with(scene.input().withSlowSplit(2, 3_000)),
        it -> it.caughtUpWithin(1_500));
    add(
        "input-silent-split-killed-all-taskmanagers-COMMIT",
        scene -> scene.with(scene.input().withSilentSplit(3, 1_000)),
        it ->
            it.at(Point.COMMIT, on -> on.blue().killTaskManager())
                .at(Point.COMMIT, on -> on.green().killTaskManager()));
    // Every watermark waits for its next record.
    add(
        "input-sparse-split",
        scene -> scene.with(scene.input().withSparseSplit(1, 50)),
        it -> it.caughtUpWithin(1_000));
    add(
        "input-sparse-split-killed-blue-CUT",
        scene -> scene.with(scene.input().withSparseSplit(1, 50)),
        it -> it.caughtUpWithin(1_000).at(Point.CUT, on -> on.blue().killTaskManager()));
    add("input-busy", scene -> scene.with(scene.input().paced(1)), it -> it);
    for (String policy : List.of("BOTH", "OUTGOING")) {
      add(
          "input-late-records-" + policy,
          scene -> scene.with(scene.input().withLateRecords(50, 3_000)),
          it -> it.with("bluegreen.gate.late-records", policy));
    }
  }

  private void jobs() {
    Map<String, Integer> parallelisms = new TreeMap<>(Map.of("2-to-3", 3, "2-to-1", 1));
    parallelisms.forEach(
        (name, parallelism) ->
            add(
                "parallelism-" + name,
                it -> it.green(green -> green.with("parallelism.default", parallelism))));
    add(
        "parallelism-2-to-3-killed-green-COMMIT",
        it ->
            it.green(green -> green.with("parallelism.default", 3))
                .at(Point.COMMIT, on -> on.green().killTaskManager()));
    add("slow-green", it -> it.green(green -> green.argument("lag", "3000")).caughtUpWithin(4_000));
    add(
        "slow-green-killed-SEALED",
        it ->
            it.green(green -> green.argument("lag", "3000"))
                .caughtUpWithin(4_000)
                .at(Point.SEALED, on -> on.green().killTaskManager()));
    add("unaligned", it -> it.with("execution.checkpointing.unaligned.enabled", true));
    add(
        "unaligned-killed-blue-CUT",
        it ->
            it.with("execution.checkpointing.unaligned.enabled", true)
                .at(Point.CUT, on -> on.blue().killTaskManager()));
    add("strict", it -> it.with("bluegreen.gate.ordering", "STRICT"));
    add(
        "strict-killed-green-DRAINED",
        it ->
            it.with("bluegreen.gate.ordering", "STRICT")
                .at(Point.DRAINED, on -> on.green().killTaskManager()));
    add(
        "rolling-files",
        it -> {
          it.blue().argument("rolling", "default");
          it.green().argument("rolling", "default");
          return it;
        });
  }

  private void givenUp() {
    for (Point point : List.of(Point.STANDBY, Point.ASKED, Point.CUT)) {
      addGivenUp("given-up-" + point, point, it -> it);
    }
    addGivenUp(
        "given-up-CUT-killed-blue-taskmanager",
        Point.CUT,
        it -> it.at(Point.ABORT, on -> on.blue().killTaskManager()));
    addGivenUp(
        "given-up-CUT-killed-blue-jobmanager",
        Point.CUT,
        it -> it.at(Point.ABORT, on -> on.blue().killJobManager()));
    // It has kept records, and restores them when they are no longer its own.
    addGivenUp(
        "given-up-CUT-killed-green-taskmanager",
        Point.CUT,
        it -> it.at(Point.ABORT, on -> on.green().killTaskManager()));
  }

  private void addGivenUp(String name, Point point, Change change) {
    addTest(
        name,
        () -> {
          try (Scene scene = new Scene(name)) {
            Ledger ledger = change.of(new Handover(scene)).runAndGiveUpAt(point);
            assertEquals(0, ledger.recordsOf("GREEN"), ledger::toString);
          }
        });
  }

  /** Strategy SAVEPOINT under the same deaths. */
  private void savepoints() {
    for (SavepointHandover.Point point : SavepointHandover.Point.values()) {
      addSavepoint("green-taskmanager", point, it -> it.green().killTaskManager());
      if (point == SavepointHandover.Point.HELD || point == SavepointHandover.Point.STOPPING) {
        addSavepoint("blue-taskmanager", point, it -> it.blue().killTaskManager());
        addSavepoint("blue-jobmanager", point, it -> it.blue().killJobManager());
        addSavepoint(
            "green-jobmanager",
            point,
            it -> {
              it.green().killJobManager();
              it.green().awaitHeldBack(2);
            });
      } else {
        // The job has ended, and its cluster is not started again.
        addSavepoint("blue", point, it -> it.blue().close());
        addSavepoint("green-jobmanager", point, it -> it.green().killJobManager());
      }
    }
  }

  private void addSavepoint(
      String victim, SavepointHandover.Point point, Fault<SavepointHandover> fault) {
    String name = "savepoint-killed-" + victim + "-" + point;
    addTest(
        name,
        () -> {
          try (Scene scene = new Scene(name)) {
            WatermarkHandoverTest.bothWrote(new SavepointHandover(scene).at(point, fault).run());
          }
        });
  }

  private interface Change {
    Handover of(Handover handover) throws Exception;
  }

  private void add(String name, Change change) {
    add(name, scene -> scene, change);
  }

  private interface Prepared {
    Scene of(Scene scene);
  }

  private void add(String name, Prepared prepared, Change change) {
    addTest(
        name,
        () -> {
          try (Scene scene = prepared.of(new Scene(name))) {
            WatermarkHandoverTest.bothWrote(change.of(new Handover(scene)).run());
          }
        });
  }

  private void addTest(String name, Executable test) {
    tests.add(DynamicTest.dynamicTest(name, test));
  }
}
