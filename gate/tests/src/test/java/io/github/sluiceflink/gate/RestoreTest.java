package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.CountingJob.Sink;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a job with the agent goes on with, and what it may leave behind. */
class RestoreTest {

  /** Of a job that was stopped, taken once for all tests that do not change it. */
  private static String savepointOfEpoch5;

  @TempDir static Path shared;

  @TempDir Path directory;

  @Test
  void a_job_goes_on_where_it_was_stopped_and_its_open_files_are_finished_through_all_epochs()
      throws Exception {
    // Without any key of Sluice's, as before it was there.
    RunningJob running = job().start();
    running.awaitRecords(300);
    String first = running.stopWithSavepoint(savepoints());
    assertEquals(1, new Output(output()).open().size(), "the savepoint names a file left open");

    running = job().sinkEpoch(0).from(first).start();
    running.awaitRecords(300);
    String second = running.savepoint(savepoints());
    running.finish();
    assertComplete("A");

    // The fork leaves the state of A's sinks with A, and stops with state of its own.
    running = new CountingJob("B", directory).sinkEpoch(3).from(second).start();
    running.awaitRecords(300);
    String third = running.stopWithSavepoint(savepoints());
    assertEquals(1, new Output(output()).open().size(), "B's file is left open");

    running = new CountingJob("B", directory).sinkEpoch(3).from(third).start();
    running.finish();
    Output output = new Output(output());
    assertEquals(List.of(), output.missing("B", output.first("B"), 60_000));
    assertEquals(List.of(), output.doubled("B"));
    assertEquals(List.of(), output.open(), "B has finished the file that it had left open");
    assertEquals(60_000 / CountingJob.KEYS, output.count("B", 0));
  }

  @Test
  void the_permission_to_leave_state_behind_is_for_the_sinks_of_one_restore() throws Exception {
    StreamExecutionEnvironment fork = job().sinkEpoch(6).from(savepointOfEpoch5()).environment();
    assertTrue(fork.getStreamGraph(false).getSavepointRestoreSettings().allowNonRestoredState());

    // The next job from the same main method, which goes on with the sinks' state.
    Configuration configuration = (Configuration) fork.getConfiguration();
    configuration.setString("bluegreen.sinks.epoch", "5");
    assertFalse(fork.getStreamGraph(false).getSavepointRestoreSettings().allowNonRestoredState());
    assertFalse(configuration.get(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE));
  }

  @Test
  void user_state_that_would_be_dropped_stops_the_submission_in_one_sentence() throws Exception {
    CountingJob renamed = job().countingAs("another").sinkEpoch(6).from(savepointOfEpoch5());
    assertEquals(
        "The savepoint "
            + savepointOfEpoch5()
            + " holds state of operators that this job does not have"
            // What Flink makes of the uid "count".
            + " (b71731f1c0df9c3076c4a455334d0ad6), and it is not the state of its sinks; give these"
            + " operators the uid that they had, or set"
            + " execution.state-recovery.ignore-unclaimed-state to true to drop their state.",
        assertThrows(RuntimeException.class, renamed::graph).getMessage());
  }

  @Test
  void sinks_do_not_go_back_to_an_earlier_epoch() throws Exception {
    CountingJob earlier = job().sinkEpoch(4).from(savepointOfEpoch5());
    String refusal = assertThrows(RuntimeException.class, earlier::graph).getMessage();
    assertTrue(refusal.contains("holds state of operators that this job does not have"), refusal);
  }

  @Test
  void a_savepoint_that_cannot_be_read_permits_nothing_and_is_left_to_flink() {
    StreamGraph graph = job().sinkEpoch(6).from(savepoints().toUri() + "nothing").graph();
    assertFalse(graph.getSavepointRestoreSettings().allowNonRestoredState());
  }

  @Test
  void what_the_user_has_permitted_himself_is_left_as_it_is() throws Exception {
    CountingJob renamed =
        job()
            .countingAs("another")
            .sinkEpoch(6)
            .from(savepointOfEpoch5())
            .with("execution.savepoint.ignore-unclaimed-state", "true");
    StreamGraph graph = renamed.graph();
    assertTrue(graph.getSavepointRestoreSettings().allowNonRestoredState());
  }

  @Test
  void where_the_ids_are_made_in_another_process_a_job_with_an_epoch_is_refused() {
    Configuration configuration = new Configuration();
    configuration.setString("execution.target", "remote");
    configuration.setString("bluegreen.sinks.epoch", "1");
    StreamExecutionEnvironment session = new StreamExecutionEnvironment(configuration);
    session.fromData("a").print();
    if (EnvironmentInformation.getVersion().startsWith("1.")) {
      assertNotNull(session.getStreamGraph(), "Flink 1 makes them here");
    } else {
      assertEquals(
          "bluegreen.sinks.epoch has no effect on a job that is submitted to a session cluster"
              + " (remote) of Flink 2; run it in application mode.",
          assertThrows(RuntimeException.class, session::getStreamGraph).getMessage());
    }
  }

  @Test
  void a_sink_epoch_that_is_no_number_is_refused_by_its_key() {
    assertEquals(
        "bluegreen.sinks.epoch is \"seven\"; it has to be a whole number of 0 or more.",
        assertThrows(
                RuntimeException.class, () -> job().with("bluegreen.sinks.epoch", "seven").graph())
            .getMessage());
  }

  private static String savepointOfEpoch5() throws Exception {
    if (savepointOfEpoch5 == null) {
      RunningJob running = new CountingJob("A", shared).sinkEpoch(5).start();
      running.awaitRecords(100);
      savepointOfEpoch5 = running.stopWithSavepoint(shared.resolve("savepoints"));
    }
    return savepointOfEpoch5;
  }

  private CountingJob job() {
    return new CountingJob("A", directory);
  }

  private Path savepoints() {
    return directory.resolve("savepoints");
  }

  private Path output() {
    return job().outputOf(Sink.FILE);
  }

  private void assertComplete(String job) throws Exception {
    Output output = new Output(output());
    assertEquals(List.of(), output.missing(job, 0, 60_000));
    assertEquals(List.of(), output.doubled(job));
    assertEquals(List.of(), output.open());
  }
}
