package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.handover.Restore;
import io.github.sluiceflink.gate.handover.Told;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.messages.Acknowledge;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.MockOperatorCoordinatorContext;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The coordinators of a job with two gates, with a record of files; the test plays Flink. */
@Timeout(300)
final class JobGatesTest {

  private static final int PARALLELISM = 2;

  @TempDir Path directory;
  private final String injection = UUID.randomUUID().toString();
  private final List<Coordinator> coordinators = new ArrayList<>();
  private TestRecord record;
  private String deposedTimeout = "100 ms";

  /** One gate's coordinator with its subtasks. */
  private static final class Coordinator {
    final MockOperatorCoordinatorContext context;
    final GateCoordinator gate;
    final List<Subtask> subtasks = new ArrayList<>();

    Coordinator(GateOptions options, GatePlace place) {
      context = new MockOperatorCoordinatorContext(new OperatorID(), PARALLELISM);
      gate = new GateCoordinator(options, place, context);
    }

    void ready(int execution) {
      for (int index = 0; index < PARALLELISM; index++) {
        Subtask subtask = new Subtask(index);
        if (subtasks.size() > index) {
          subtasks.set(index, subtask);
        } else {
          subtasks.add(subtask);
        }
        gate.executionAttemptReady(index, execution, subtask);
      }
    }

    void says(int index, int execution, GateEvent event) {
      gate.handleEventFromOperator(index, execution, event);
    }
  }

  /** What one subtask was told. */
  private static final class Subtask implements OperatorCoordinator.SubtaskGateway {
    final int index;
    final List<Orders> told = new CopyOnWriteArrayList<>();

    Subtask(int index) {
      this.index = index;
    }

    @Override
    public CompletableFuture<Acknowledge> sendEvent(OperatorEvent event) {
      told.add(((GateEvent.Telling) event).orders);
      return CompletableFuture.completedFuture(Acknowledge.get());
    }

    @Override
    public ExecutionAttemptID getExecution() {
      return ExecutionAttemptID.randomId();
    }

    @Override
    public int getSubtask() {
      return index;
    }

    Optional<Orders> last() {
      return told.isEmpty() ? Optional.empty() : Optional.of(told.get(told.size() - 1));
    }

    Orders await(String what, Told wanted) throws Exception {
      GatedJob.await(what, () -> last().filter(it -> it.told().equals(wanted)).isPresent());
      return last().orElseThrow();
    }
  }

  @BeforeEach
  void open() throws Exception {
    Files.createDirectories(directory.resolve("record"));
    record = new TestRecord(directory.resolve("record"));
    record.create();
    record.await("the record", it -> true);
  }

  @AfterEach
  void close() {
    coordinators.forEach(it -> it.gate.close());
    record.close();
  }

  private static boolean isAttempt(HandoverRecord record, long attempt) {
    return record.blue().filter(it -> it.attempt() == attempt).isPresent();
  }

  private GateOptions options() {
    Configuration config = new Configuration();
    config.setString("bluegreen.active-deployment-type", "BLUE");
    config.setString("bluegreen.handover.epoch", "1");
    config.setString("bluegreen.handover.directory", directory.resolve("record").toString());
    config.setString("bluegreen.gate.report-interval", "50 ms");
    config.setString("bluegreen.gate.deposed-timeout", deposedTimeout);
    return GateOptions.from(config);
  }

  private Coordinator coordinator(int gate) {
    Coordinator created =
        new Coordinator(options(), GatePlace.of(injection, gate, 2, "sink-" + gate));
    coordinators.add(created);
    return created;
  }

  private List<Coordinator> running(String timeout) throws Exception {
    deposedTimeout = timeout;
    return running();
  }

  /** Both gates, started, with their subtasks there, and told. */
  private List<Coordinator> running() throws Exception {
    List<Coordinator> both = List.of(coordinator(0), coordinator(1));
    both.forEach(it -> it.gate.start());
    both.forEach(it -> it.ready(0));
    for (Coordinator one : both) {
      for (Subtask subtask : one.subtasks) {
        subtask.await("everything passes", Told.outgoing(Phase.stable()));
      }
    }
    return both;
  }

  @Test
  void tellsNothingBeforeAllGatesAreThere() throws Exception {
    Coordinator first = coordinator(0);
    first.gate.start();
    first.ready(0);
    Thread.sleep(300);
    assertEquals(List.of(), first.subtasks.get(0).told);
    assertFalse(record.now().blue().isPresent());

    Coordinator second = coordinator(1);
    second.gate.start();

    Orders orders = first.subtasks.get(0).await("everything passes", Told.outgoing(Phase.stable()));
    assertEquals(1, orders.attempt());
    assertEquals(1, record.blue().attempt(), "gates that start together are one attempt");
  }

  @Test
  void g34TheRestartOfSubtasksIsOneNewAttemptAndAllAreToldAnew() throws Exception {
    List<Coordinator> both = running();
    for (Coordinator one : both) {
      for (int index = 0; index < PARALLELISM; index++) {
        one.gate.executionAttemptFailed(index, 0, null);
        one.gate.subtaskReset(index, 7);
      }
    }
    both.forEach(it -> it.ready(1));

    for (Coordinator one : both) {
      for (Subtask subtask : one.subtasks) {
        assertEquals(
            2, subtask.await("everything passes", Told.outgoing(Phase.stable())).attempt());
      }
    }
    HandoverRecord named = record.await("the new attempt", it -> isAttempt(it, 2));
    List<Restore> restores = named.blue().orElseThrow().restores();
    assertEquals(
        List.of(Restore.of(1, OptionalLong.empty()), Restore.of(2, OptionalLong.of(7))), restores);
  }

  @Test
  void coordinatorsOfTheOldExecutionAreClosedAfterThoseOfTheNewWereMade() throws Exception {
    List<Coordinator> old = running();
    List<Coordinator> both = List.of(coordinator(0), coordinator(1));
    for (Coordinator one : both) {
      one.gate.resetToCheckpoint(3, null);
      one.gate.start();
    }
    old.forEach(it -> it.gate.close());
    coordinators.removeAll(old);
    both.forEach(it -> it.ready(0));

    Orders orders =
        both.get(1).subtasks.get(1).await("everything passes", Told.outgoing(Phase.stable()));

    assertEquals(2, orders.attempt());
    record.standby();
    Told standby = Told.outgoing(Phase.standby(Long.MIN_VALUE));
    both.get(0).subtasks.get(0).await("the handover", standby);
    assertFalse(old.get(0).subtasks.get(0).last().filter(it -> it.epoch() == 2).isPresent());
  }

  @Test
  void whatOldExecutionsSayCountsForNothing() throws Exception {
    List<Coordinator> both = running();
    both.get(0).gate.executionAttemptFailed(0, 0, null);
    both.get(0).gate.subtaskReset(0, -1);
    both.get(0).gate.executionAttemptReady(0, 1, new Subtask(0));
    record.await("the new attempt", it -> isAttempt(it, 2));
    record.standby();
    record.prepare();
    for (Coordinator one : both) {
      for (int index = 0; index < PARALLELISM; index++) {
        one.says(index, 0, new GateEvent.Answering(2, Answer.of(2, 20 + index, 30)));
      }
    }
    Thread.sleep(300);
    assertFalse(record.now().phase().cut().isPresent(), "the restarted one has not answered");

    both.get(0).says(0, 1, new GateEvent.Answering(2, Answer.of(2, 28, 30)));

    HandoverRecord cut = record.await("the cut", it -> it.phase().cut().isPresent());
    assertEquals(29, cut.phase().cut().getAsLong());
  }

  /** A job that finds no slots starts over and over, and remembers only its last restores. */
  @Test
  void tasksThatDoNotComeUpTakeNoAttempt() throws Exception {
    List<Coordinator> both = running();
    for (int tried = 0; tried < 5; tried++) {
      for (Coordinator one : both) {
        one.gate.resetToCheckpoint(4, null);
      }
      Thread.sleep(100);
    }
    assertEquals(1, record.blue().attempt());

    both.get(0).ready(1);

    record.await("the new attempt", it -> isAttempt(it, 2));
  }

  @Test
  void aJobManagerThatIsDeposedFailsItsJobAndStartsOver() throws Exception {
    List<Coordinator> both = running();
    depose(77);
    MockOperatorCoordinatorContext context = both.get(0).context;
    GatedJob.await("the job fails", context::isJobFailed);
    assertTrue(context.getJobFailureReason().getMessage().contains("later attempt"));

    assertTakesOver(both);
  }

  /** Its clock may be behind that of one that is gone. */
  @Test
  void aJobManagerThatIsDeposedByOneWhoseClockWasAheadTakesOver() throws Exception {
    record.write(it -> withAttemptOf(it, Long.MAX_VALUE - 10));
    List<Coordinator> both = List.of(coordinator(0), coordinator(1));
    both.forEach(it -> it.gate.start());
    both.forEach(it -> it.ready(0));
    GatedJob.await("the job fails", both.get(0).context::isJobFailed);
    assertEquals(List.of(), both.get(0).subtasks.get(0).told);

    assertTakesOver(both);
  }

  /** One that has only just lost its leadership may start its tasks once more. */
  @Test
  void aJobManagerThatIsDeposedWaitsBeforeItStartsOver() throws Exception {
    List<Coordinator> both = running("1 min");
    depose(77);
    Thread.sleep(200);
    for (Coordinator one : both) {
      one.gate.resetToCheckpoint(4, null);
    }
    both.forEach(it -> it.ready(1));
    Thread.sleep(200);
    assertFalse(both.get(0).context.isJobFailed());
    assertEquals(9, record.blue().attempt());
    assertEquals(List.of(), both.get(0).subtasks.get(0).told);
  }

  private void depose(long incarnation) throws Exception {
    record.write(it -> withAttemptOf(it, incarnation));
  }

  private static HandoverRecord withAttemptOf(HandoverRecord handover, long incarnation) {
    Report another = Report.builder().createdFor(1).attempt(9).incarnation(incarnation).build();
    return TestRecord.copy(handover, handover.phase()).blue(Optional.of(another)).build();
  }

  private static void assertTakesOver(List<Coordinator> both) throws Exception {
    for (Coordinator one : both) {
      one.gate.resetToCheckpoint(4, null);
    }
    both.forEach(it -> it.ready(1));

    Orders orders =
        both.get(0).subtasks.get(0).await("everything passes", Told.outgoing(Phase.stable()));
    assertEquals(10, orders.attempt());
  }

  @Test
  void aSubtaskThatAsksIsTold() throws Exception {
    List<Coordinator> both = running();
    CompletableFuture<CoordinationResponse> response =
        both.get(1).gate.handleCoordinationRequest(new OrdersRequest(1, 0, -1));
    GateEvent.Telling told = telling(response);
    assertEquals(Told.outgoing(Phase.stable()), told.orders.told());

    response = both.get(1).gate.handleCoordinationRequest(new OrdersRequest(1, 0, told.number));
    Thread.sleep(200);
    assertFalse(response.isDone(), "there is nothing newer");
    record.standby();

    GateEvent.Telling next = telling(response);
    assertEquals(2, next.orders.epoch());
    assertTrue(next.number > told.number);
  }

  private static GateEvent.Telling telling(CompletableFuture<CoordinationResponse> response)
      throws Exception {
    return OrdersRequest.telling(
            response.get(30, TimeUnit.SECONDS), JobGatesTest.class.getClassLoader())
        .orElseThrow();
  }

  @Test
  void g30FinishedSubtasksAnswerAndAreDrainedAndAreInTheCheckpoint() throws Exception {
    List<Coordinator> both = running();
    for (Coordinator one : both) {
      for (int index = 0; index < PARALLELISM; index++) {
        one.says(index, 0, new GateEvent.Finishing(1, Finished.of(40 + index, 0)));
      }
    }
    CompletableFuture<byte[]> state = new CompletableFuture<>();
    both.get(0).gate.checkpointCoordinator(5, state);
    byte[] finished = state.get(30, TimeUnit.SECONDS);

    // The vertex rests, as Flink lets it, when the job restarts from there.
    for (Coordinator one : both) {
      one.gate.resetToCheckpoint(5, finished);
    }
    record.await("the new attempt", it -> isAttempt(it, 2));
    record.standby();
    record.prepare();

    HandoverRecord cut = record.await("the cut", it -> it.phase().cut().isPresent());
    assertEquals(42, cut.phase().cut().getAsLong());
    record.commit();
    // The record has to say COMMIT to the coordinator before a checkpoint proves something.
    for (long checkpoint = 7; !record.blue().passed().isPresent(); checkpoint++) {
      long completed = checkpoint;
      both.forEach(it -> it.gate.notifyCheckpointComplete(completed));
      Thread.sleep(50);
    }
    assertEquals(2, record.blue().passed().get().epoch());
  }

  @Test
  void theEndOfASubtaskIsKnownToALaterAttemptThatDidNotRestartIt() throws Exception {
    List<Coordinator> both = running();
    for (int index = 0; index < PARALLELISM; index++) {
      both.get(1).says(index, 0, new GateEvent.Finishing(1, Finished.of(40, 0)));
    }
    both.get(0).gate.executionAttemptFailed(0, 0, null);
    both.get(0).gate.subtaskReset(0, -1);
    record.await("the new attempt", it -> isAttempt(it, 2));
    Subtask restarted = new Subtask(0);
    both.get(0).gate.executionAttemptReady(0, 1, restarted);
    restarted.await("everything passes", Told.outgoing(Phase.stable()));
    record.standby();
    record.prepare();
    both.get(0).says(0, 1, new GateEvent.Answering(2, Answer.of(2, 20, 30)));
    both.get(0).says(1, 0, new GateEvent.Answering(2, Answer.of(2, 21, 30)));

    HandoverRecord cut = record.await("the cut", it -> it.phase().cut().isPresent());

    assertEquals(41, cut.phase().cut().getAsLong());
  }
}
