package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.CountingJob.Sink;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A job starts from a savepoint of a job that goes on running, and both write to the same place.
 */
class ForkTest {

  @TempDir Path directory;

  @Test
  void without_a_sink_epoch_the_running_job_loses_records_to_a_fork_that_writes_nothing()
      throws Exception {
    CountingJob a = new CountingJob("A", directory);
    CountingJob b = new CountingJob("B", directory).writingNothing();

    fork(a, b);

    Output output = new Output(a.outputOf(Sink.FILE));
    assertNotEquals(List.of(), output.missing("A", 0, a.numbers()));
  }

  @Test
  void with_a_sink_epoch_of_its_own_no_sink_of_either_job_loses_or_doubles_a_record()
      throws Exception {
    Set<Sink> all = EnumSet.allOf(Sink.class);
    CountingJob a = new CountingJob("A", directory).to(all).with("parallelism.default", "2");
    CountingJob b =
        new CountingJob("B", directory).to(all).with("parallelism.default", "2").sinkEpoch(1);

    fork(a, b);

    assertComplete(a);
    for (Sink sink : all) {
      Output output = new Output(b.outputOf(sink));
      assertTrue(output.first("B") > 0, sink + ": B has gone on from the savepoint");
      for (long key = 0; key < CountingJob.KEYS; key++) {
        assertEquals(b.numbers() / CountingJob.KEYS, output.count("B", key), sink + ": B's counts");
      }
      assertEquals(List.of(), output.doubled("B"), sink + ": twice from B");
    }
  }

  @Test
  void the_running_job_has_to_be_drained_or_it_leaves_behind_what_the_fork_does_not_have()
      throws Exception {
    CountingJob a = new CountingJob("A", directory);
    CountingJob b = new CountingJob("B", directory).sinkEpoch(1).writingNothing();
    RunningJob running = a.start();
    running.awaitRecords(500);
    RunningJob fork = b.from(running.savepoint(directory.resolve("savepoints"))).start();
    fork.awaitRecords(100);
    assertEquals(
        Long.MAX_VALUE, new Output(a.outputOf(Sink.FILE)).first("A"), "all in an open file");

    running.drain(directory.resolve("savepoints"));
    fork.cancel();

    Output output = new Output(a.outputOf(Sink.FILE));
    assertEquals(List.of(), output.missing("A", 0, 500));
    assertEquals(List.of(), output.open());
  }

  /** Starts b from a savepoint of a, when a has gone on from there for a while; waits for both. */
  private void fork(CountingJob a, CountingJob b) throws Exception {
    RunningJob running = a.start();
    running.awaitRecords(500);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    running.awaitRecords(1_000);
    RunningJob fork = b.from(savepoint).start();
    fork.awaitRecords(500);
    running.finish();
    fork.finish();
  }

  private static void assertComplete(CountingJob job) throws Exception {
    for (Sink sink : job.sinks()) {
      Output output = new Output(job.outputOf(sink));
      assertAll(
          () ->
              assertEquals(List.of(), output.missing(job.name(), 0, job.numbers()), sink + " lost"),
          () -> assertEquals(List.of(), output.doubled(job.name()), sink + ": twice"),
          () -> assertEquals(List.of(), output.garbage(), sink + ": lines of nobody"),
          () -> assertEquals(List.of(), output.open(), sink + ": files left open"));
    }
  }
}
