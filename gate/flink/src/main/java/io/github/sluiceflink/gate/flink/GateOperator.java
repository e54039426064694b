package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.OperatorEventGateway;
import org.apache.flink.runtime.operators.coordination.OperatorEventHandler;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * One subtask of a gate, in its task's thread.
 *
 * <p>Where it has to wait, it runs only what is sent to itself. A checkpoint in the midst of a
 * record would lose what the operators before it in the chain still have in hand.
 */
final class GateOperator<T> extends AbstractStreamOperator<T>
    implements OneInputStreamOperator<T, T>, BoundedOneInput, OperatorEventHandler {

  private static final long serialVersionUID = 1L;

  private final transient GateOptions options;
  private final transient GatePlace place;
  private final transient TypeSerializer<T> serializer;
  private final transient Timestamps<T> timestamps;
  private final transient MailboxExecutor mailbox;
  private final transient OperatorEventGateway coordinator;
  private transient GateSubtask<T> gate;
  private transient OrdersInbox inbox;
  private transient ListState<byte[]> marks;
  private transient ListState<byte[]> kept;
  private transient boolean idle;
  private transient boolean waits;
  private transient long startedAt;

  /** The watermark that came in this run; what is restored is of another one. */
  private transient long came;

  /** The watermark that was handed on. */
  private transient long handedOn;

  GateOperator(
      GateOptions options,
      GatePlace place,
      TypeSerializer<T> serializer,
      Timestamps<T> timestamps,
      StreamOperatorParameters<T> parameters) {
    this.options = options;
    this.place = place;
    this.serializer = NotCopying.unwrapped(serializer).duplicate();
    this.timestamps = timestamps;
    this.mailbox = parameters.getMailboxExecutor();
    // The only way that is open in Flink 1.20 and in 2.x.
    this.processingTimeService = parameters.getProcessingTimeService();
    setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
    this.coordinator =
        parameters.getOperatorEventDispatcher().getOperatorEventGateway(getOperatorID());
    parameters.getOperatorEventDispatcher().registerEventHandler(getOperatorID(), this);
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    marks = context.getOperatorStateStore().getListState(bytes("gate-marks"));
    kept = context.getOperatorStateStore().getListState(bytes("gate-kept-records"));
    gate =
        new GateSubtask<>(
            options,
            serializer,
            !(timestamps instanceof OwnTimestamps),
            GateMarks.restore(marks.get(), index(), parallelism()),
            output,
            coordinator::sendEventToCoordinator);
    gate.restore(kept.get(), getUserCodeClassloader());
    kept.clear();
    came = Times.NO_WATERMARK;
    handedOn = Times.NO_WATERMARK;
  }

  private static ListStateDescriptor<byte[]> bytes(String name) {
    return new ListStateDescriptor<>(name, BytePrimitiveArraySerializer.INSTANCE);
  }

  private int index() {
    return getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
  }

  private int parallelism() {
    return getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
  }

  @Override
  public void open() throws Exception {
    super.open();
    GateMetrics.register(getMetricGroup(), gate, timestamps);
    inbox =
        new OrdersInbox(
            getOperatorID(),
            index(),
            getRuntimeContext().getTaskInfo().getAttemptNumber(),
            getContainingTask().getEnvironment().getOperatorCoordinatorEventGateway(),
            mailbox,
            getUserCodeClassloader(),
            this::onTold,
            () -> waits || gate.isUnderWay());
    startedAt = getProcessingTimeService().getCurrentProcessingTime();
    long interval = options.reportInterval().toMillis();
    getProcessingTimeService().scheduleWithFixedDelay(this::onInterval, interval, interval);
  }

  private void onInterval(long now) throws IOException {
    if (gate.isUnderWay()) {
      gate.report(idle);
      inbox.ask();
    } else if (!gate.orders().isPresent()) {
      if (now - startedAt >= options.startTimeout().toMillis()) {
        throw new IOException(
            place
                + " was told nothing for "
                + options.startTimeout()
                + " ("
                + GateOptions.START_TIMEOUT.key()
                + ") and kept everything; look in the JobManager's log for why the handover record"
                + " cannot be read");
      }
      inbox.ask();
    } else if (waits) {
      inbox.ask();
    }
  }

  @Override
  public void processElement(StreamRecord<T> record) throws Exception {
    gate.onRecord(record, timestamps.of(record));
    if (gate.isFull()) {
      waitWhileFull();
    }
  }

  private void waitWhileFull() throws InterruptedException, IOException {
    waits = true;
    while (gate.isFull()) {
      inbox.ask();
      mailbox.yield();
    }
    waits = false;
  }

  @Override
  public void endInput() throws Exception {
    gate.onWatermark(Times.END_OF_INPUT);
    waits = true;
    while (!gate.keepsNothing() || !gate.orders().isPresent()) {
      inbox.ask();
      mailbox.yield();
    }
    waits = false;
    gate.finish();
  }

  @Override
  public void processWatermark(Watermark mark) {
    came = Math.max(came, mark.getTimestamp());
    gate.onWatermark(mark.getTimestamp());
    handOnWatermark();
  }

  /** Hands the watermark on, but never ahead of a record that is kept. */
  private void handOnWatermark() {
    long watermark = came;
    if (!gate.keepsNothing()) {
      long lowest = gate.lowestKept();
      watermark = Math.min(came, lowest == Times.NO_TIMESTAMP ? lowest : lowest - 1);
    }
    if (watermark > handedOn) {
      handedOn = watermark;
      output.emitWatermark(new Watermark(watermark));
    }
  }

  @Override
  public void processWatermarkStatus(WatermarkStatus status) {
    idle = status.isIdle();
    output.emitWatermarkStatus(status);
  }

  @Override
  public void handleOperatorEvent(OperatorEvent event) {
    inbox.onEvent((GateEvent.Telling) event);
  }

  private void onTold(GateEvent.Telling telling) {
    gate.onTold(telling.orders);
    // What has gone out need not wait in memory for the next checkpoint.
    kept.clear();
    handOnWatermark();
    gate.report(idle);
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    gate.onBarrier(context.getCheckpointId());
    marks.update(List.of(GateMarks.write(index(), parallelism(), gate)));
    kept.update(gate.kept());
  }

  /** What it was told last, for tests. */
  Optional<GateSubtask<T>> gate() {
    return Optional.ofNullable(gate);
  }
}
