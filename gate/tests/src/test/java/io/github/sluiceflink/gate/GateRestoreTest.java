package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.CountingJob.Sink;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.util.FlinkException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A job may get gates, and give them up again, without losing the state of anything else. */
class GateRestoreTest {

  @TempDir Path directory;

  @Test
  void gates_come_and_go_and_the_counts_and_open_files_go_on() throws Exception {
    Gated.stable(record());
    RunningJob running = job(false).start();
    running.awaitRecords(300);
    String ungated = running.stopWithSavepoint(savepoints());

    // Into the gated world: nothing may be left behind, and nothing is.
    running = job(true).from(ungated).start();
    running.awaitRecords(300);
    String gated = running.stopWithSavepoint(savepoints());

    running = job(true).from(gated).start();
    running.awaitRecords(300);
    String again = running.stopWithSavepoint(savepoints());

    // Out of it: the gates' own state would be left behind, which the user has to permit.
    String reason = whyNotStarted(job(false).from(again));
    assertTrue(
        reason.contains("Cannot map checkpoint/savepoint state for operator")
            && reason.contains("--allowNonRestoredState"),
        reason);

    running =
        job(false).from(again).with("execution.savepoint.ignore-unclaimed-state", "true").start();
    running.finish();
    Output output = new Output(job(false).outputOf(Sink.FILE));
    assertEquals(List.of(), output.missing("A", 0, 60_000));
    assertEquals(List.of(), output.doubled("A"));
    assertEquals(List.of(), output.open());
    for (long key = 0; key < CountingJob.KEYS; key++) {
      assertEquals(60_000 / CountingJob.KEYS, output.count("A", key), "counted through all four");
    }
  }

  @Test
  void a_fork_of_a_gated_job_has_sinks_of_its_own_and_inherits_the_state_of_the_gates()
      throws Exception {
    Gated.stable(record());
    RunningJob running = job(true).start();
    running.awaitRecords(300);
    String savepoint = running.savepoint(savepoints());
    // Flink itself refuses to leave any state behind, and the agent permits that of the sinks only.
    Path another = directory.resolve("another record");
    Gated.stable(another);
    RunningJob fork =
        gated(new CountingJob("B", directory), true)
            .with("bluegreen.handover.directory", another.toString())
            .sinkEpoch(3)
            .from(savepoint)
            .start();
    fork.awaitRecords(300);
    running.finish();
    fork.finish();
    Output output = new Output(job(true).outputOf(Sink.FILE));
    assertEquals(List.of(), output.missing("A", 0, 60_000));
    assertEquals(List.of(), output.missing("B", output.first("B"), 60_000));
    assertEquals(List.of(), output.doubled("A"));
    assertEquals(List.of(), output.doubled("B"));
  }

  /** All messages, from the outermost to the cause. */
  private static String whyNotStarted(CountingJob job) throws Exception {
    try {
      return job.start().failure();
    } catch (FlinkException e) {
      return RunningJob.messages(e);
    }
  }

  private CountingJob job(boolean gates) {
    return gated(new CountingJob("A", directory), gates);
  }

  private CountingJob gated(CountingJob job, boolean gates) {
    Gated.configuration(record())
        .toMap()
        .forEach(
            (key, value) -> {
              if (key.startsWith("bluegreen.")) {
                job.with(key, value);
              }
            });
    return job.with("bluegreen.gate.injection.enabled", Boolean.toString(gates));
  }

  private Path record() {
    return directory.resolve("record");
  }

  private Path savepoints() {
    return directory.resolve("savepoints");
  }
}
