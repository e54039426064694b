package io.github.sluiceflink.gate.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeldBackTest {

  private static final String SAVEPOINT = "file:///savepoints/savepoint-1";
  private static final Job BLUE = Job.of(Color.BLUE, 1);
  private static final Job GREEN = Job.of(Color.GREEN, 2);

  @TempDir private Path directory;

  private final Configuration configuration = new Configuration();
  private RecordStore store;
  private StreamGraph graph;

  @BeforeEach
  void greenWaits() {
    store = RecordPlace.directory(directory.toString()).open();
    configuration.setString("bluegreen.handover.await-savepoint", "true");
    configuration.setString("bluegreen.active-deployment-type", "GREEN");
    configuration.setString("bluegreen.handover.epoch", "2");
    configuration.setString("bluegreen.handover.directory", directory.toString());
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(configuration);
    environment.fromData(1, 2, 3).print();
    graph = environment.getStreamGraph();
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aJobThatIsNotToWaitDoesNotLookAtTheRecord() {
    configuration.setString("bluegreen.handover.await-savepoint", "false");
    configuration.removeKey("bluegreen.handover.directory");

    HeldBack.await(graph, configuration);

    assertNull(graph.getSavepointRestoreSettings().getRestorePath());
  }

  @Test
  void itWaitsForARecordThenForItsTurnAndStartsFromTheSavepointOfTheRecord() throws Exception {
    CompletableFuture<Void> waiting = submitted();
    put(0, 1, BLUE, OptionalLong.empty(), Optional.empty());
    assertStillWaits(waiting);
    put(1, 2, BLUE, OptionalLong.of(2), Optional.empty());
    assertStillWaits(waiting);

    put(2, 2, GREEN, OptionalLong.empty(), Optional.of(SAVEPOINT));

    waiting.get(20, TimeUnit.SECONDS);
    assertEquals(SAVEPOINT, graph.getSavepointRestoreSettings().getRestorePath());
    assertFalse(graph.getSavepointRestoreSettings().allowNonRestoredState());
    assertEquals(
        SAVEPOINT, configuration.getString("execution.state-recovery.path", "none is set"));
  }

  @Test
  void whatItsConfigurationNamesCountsMoreThanTheRecord() throws Exception {
    configuration.setString("execution.state-recovery.path", "file:///checkpoints/chk-7");
    put(0, 2, GREEN, OptionalLong.empty(), Optional.of(SAVEPOINT));

    submitted().get(20, TimeUnit.SECONDS);

    assertEquals(
        "file:///checkpoints/chk-7",
        configuration.getString("execution.state-recovery.path", "none is set"));
  }

  @Test
  void aRecordThatIsAboutOtherJobsRefusesTheSubmission() throws Exception {
    put(0, 3, BLUE, OptionalLong.empty(), Optional.of(SAVEPOINT));

    String why = refusal(submitted());

    assertTrue(why.contains("GREEN, created for epoch 2"), why);
    assertTrue(why.contains("STABLE of epoch 3, and the active job is BLUE"), why);
    assertTrue(why.contains(directory.toString()), why);
  }

  @Test
  void aJobIsNotStartedWithoutTheStateOfTheOneBefore() throws Exception {
    put(0, 2, GREEN, OptionalLong.empty(), Optional.empty());

    String why = refusal(submitted());

    assertTrue(why.contains("names no savepoint"), why);
  }

  @Test
  void aJobThatDoesNotKnowWhereTheRecordIsSaysWhatIsMissing() {
    configuration.removeKey("bluegreen.handover.directory");

    String why =
        assertThrows(SubmissionRefused.class, () -> HeldBack.await(graph, configuration))
            .getMessage();

    assertTrue(why.contains("bluegreen.handover.directory"), why);
    assertTrue(why.contains("bluegreen.configmap.name"), why);
  }

  private CompletableFuture<Void> submitted() {
    return CompletableFuture.runAsync(() -> HeldBack.await(graph, configuration));
  }

  private static void assertStillWaits(CompletableFuture<Void> waiting) throws Exception {
    Thread.sleep(500);
    assertFalse(waiting.isDone());
  }

  private static String refusal(CompletableFuture<Void> submitted) {
    ExecutionException refused =
        assertThrows(ExecutionException.class, () -> submitted.get(20, TimeUnit.SECONDS));
    return assertThrows(
            SubmissionRefused.class,
            () -> {
              throw refused.getCause();
            })
        .getMessage();
  }

  private void put(
      long expected, long epoch, Job active, OptionalLong incoming, Optional<String> savepoint)
      throws Exception {
    store
        .put(
            expected,
            HandoverRecord.builder()
                .epoch(epoch)
                .phase(Phase.stable())
                .active(active)
                .incoming(incoming)
                .fork(Optional.empty())
                .savepoint(savepoint)
                .deadline(Optional.empty())
                .reason(Optional.empty())
                .blue(Optional.empty())
                .green(Optional.empty())
                .build())
        .get(20, TimeUnit.SECONDS);
  }
}
