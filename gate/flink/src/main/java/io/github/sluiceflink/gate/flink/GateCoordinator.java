package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationRequestHandler;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/**
 * The coordinator of one gate. It hands everything on to what all gates of its job have in common,
 * {@link JobGates}, and never waits: its methods are called in the JobManager's main thread.
 */
final class GateCoordinator implements OperatorCoordinator, CoordinationRequestHandler {

  private final GateOptions options;
  private final GatePlace place;
  private final Context context;

  /** What all gates of the job have in common, from start to close. */
  private JobGates gates;

  /** What was restored before the start; afterwards {@link JobGates} knows it. */
  private OptionalLong restored = OptionalLong.empty();

  private FinishedMarks finished = new FinishedMarks();

  GateCoordinator(GateOptions options, GatePlace place, Context context) {
    this.options = options;
    this.place = place;
    this.context = context;
  }

  /** Makes the coordinator of one gate. */
  static final class Provider implements OperatorCoordinator.Provider {
    private static final long serialVersionUID = 1L;

    private final OperatorID operator;
    private final GateOptions options;
    private final GatePlace place;

    Provider(OperatorID operator, GateOptions options, GatePlace place) {
      this.operator = operator;
      this.options = options;
      this.place = place;
    }

    @Override
    public OperatorID getOperatorId() {
      return operator;
    }

    @Override
    public OperatorCoordinator create(Context context) {
      return new GateCoordinator(options, place, context);
    }
  }

  @Override
  public void start() {
    gates = JobGates.join(options, place);
    gates.onStarted(this, restored, finished);
  }

  @Override
  public void close() {
    if (gates != null) {
      gates.leave(this);
      gates = null;
    }
  }

  @Override
  public void resetToCheckpoint(long checkpoint, byte[] state) throws IOException {
    restored = restoredFrom(checkpoint);
    finished = FinishedMarks.restore(state, checkpoint, context.currentParallelism());
    if (gates != null) {
      gates.onReset(this, restored, finished);
    }
  }

  static OptionalLong restoredFrom(long checkpoint) {
    return checkpoint == NO_CHECKPOINT ? OptionalLong.empty() : OptionalLong.of(checkpoint);
  }

  @Override
  public void subtaskReset(int subtask, long checkpoint) {
    gates.onSubtaskReset(this, subtask, checkpoint);
  }

  @Override
  public void executionAttemptReady(int subtask, int execution, SubtaskGateway gateway) {
    gates.onReady(this, subtask, execution, gateway);
  }

  @Override
  public void executionAttemptFailed(int subtask, int execution, Throwable reason) {
    gates.onFailed(this, subtask, execution);
  }

  @Override
  public void handleEventFromOperator(int subtask, int execution, OperatorEvent event) {
    gates.onEvent(this, subtask, execution, (GateEvent) event);
  }

  @Override
  public CompletableFuture<CoordinationResponse> handleCoordinationRequest(
      CoordinationRequest request) {
    return gates.onRequest(this, (OrdersRequest) request);
  }

  @Override
  public void checkpointCoordinator(long checkpoint, CompletableFuture<byte[]> result) {
    gates.onCheckpoint(this, checkpoint, result);
  }

  @Override
  public void notifyCheckpointComplete(long checkpoint) {
    gates.onCompleted(this, checkpoint);
  }

  GatePlace place() {
    return place;
  }

  int parallelism() {
    return context.currentParallelism();
  }

  /** Lets the job start over. Safe for threads. */
  void failJob(String sentence) {
    context.failJob(new GateException(sentence));
  }
}
