package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Gate;
import io.github.sluiceflink.gate.handover.GateOutput;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.SubtaskReport;
import io.github.sluiceflink.gate.handover.Times;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.Collector;

/** A gate's subtask with Flink's records, and what it counts. */
final class GateSubtask<T> implements GateOutput<StreamRecord<T>>, KeptPages.Output<T> {

  private final Collector<StreamRecord<T>> sink;
  private final Consumer<GateEvent> coordinator;
  private final long maxBytes;
  private final long maxLead;
  private final boolean samplesClock;
  private final GateCounts counts = new GateCounts();
  private final KeptPages<T> kept;
  private final Gate<StreamRecord<T>> gate;

  /** Below this, a record behind the watermark is counted as late. */
  private long lateBelow = Times.NO_TIMESTAMP;

  /** The timestamp of the last record since the clock was compared. */
  private long sample = Times.NO_TIMESTAMP;

  GateSubtask(
      GateOptions options,
      TypeSerializer<T> serializer,
      boolean samplesClock,
      GateState<?> marks,
      Collector<StreamRecord<T>> sink,
      Consumer<GateEvent> coordinator) {
    this.samplesClock = samplesClock;
    this.sink = sink;
    this.coordinator = coordinator;
    this.maxBytes = options.keptRecordsMaxBytes();
    this.maxLead = options.maxCutLead().toMillis();
    this.kept = new KeptPages<>(serializer, counts, this);
    this.gate = Gate.start(options.rules(), marks, kept, this);
  }

  /**
   * Keeps what stands in a checkpoint.
   *
   * @throws IOException if that cannot become records of the present type; one sentence
   */
  void restore(Iterable<byte[]> checkpoint, ClassLoader classes) throws IOException {
    kept.restore(checkpoint, classes);
  }

  void onRecord(StreamRecord<T> record, long timestamp) {
    long eventTime = Times.eventTime(timestamp);
    sample = eventTime;
    if (eventTime == Times.NO_TIMESTAMP) {
      counts.untimed++;
    } else if (eventTime < lateBelow && eventTime <= gate.watermark()) {
      counts.late++;
    }
    gate.onRecord(record, eventTime);
  }

  void onWatermark(long watermark) {
    if (samplesClock && isStandingBy()) {
      if (Clocks.differ(sample, gate.watermark(), maxLead)) {
        counts.offClock++;
      }
      sample = Times.NO_TIMESTAMP;
    }
    gate.onWatermark(watermark);
  }

  void onTold(Orders orders) {
    gate.onTold(orders);
    lateBelow =
        gate.orders()
            .flatMap(it -> it.told().phase())
            .map(Phase::cut)
            .orElseGet(OptionalLong::empty)
            .orElse(Times.NO_TIMESTAMP);
  }

  void onBarrier(long checkpoint) {
    gate.onBarrier(checkpoint);
  }

  /** What it keeps, as it stands in the next checkpoint. */
  List<byte[]> kept() throws IOException {
    return kept.checkpoint();
  }

  /** Whether it keeps more than it may, so that no more input must come. */
  boolean isFull() {
    return counts.keptBytes > maxBytes;
  }

  boolean keepsNothing() {
    return counts.kept == 0;
  }

  long lowestKept() {
    return kept.lowest();
  }

  Optional<Orders> orders() {
    return gate.orders();
  }

  long emitted() {
    return gate.emitted();
  }

  long dropped() {
    return gate.dropped();
  }

  long watermark() {
    return gate.watermark();
  }

  GateCounts counts() {
    return counts;
  }

  Optional<Phase> phase() {
    return gate.orders().flatMap(it -> it.told().phase());
  }

  /** Whether a handover is under way, as far as it was told. */
  boolean isUnderWay() {
    Optional<Phase> phase = phase();
    return phase.isPresent()
        && phase.get().name() != Phase.Name.STABLE
        && phase.get().name() != Phase.Name.ABORT;
  }

  private boolean isStandingBy() {
    Optional<Phase> phase = phase();
    return phase.isPresent() && phase.get().name() == Phase.Name.STANDBY;
  }

  /** Tells the coordinator how it stands. */
  void report(boolean idle) {
    gate.orders()
        .ifPresent(
            orders ->
                coordinator.accept(
                    new GateEvent.Reporting(
                        orders.attempt(),
                        SubtaskReport.of(
                            orders.epoch(),
                            gate.emitted(),
                            gate.dropped(),
                            gate.watermark(),
                            idle,
                            counts.figures()))));
  }

  /** Tells the coordinator that it has come to the end of its input, and keeps nothing. */
  void finish() {
    gate.orders()
        .ifPresent(
            orders ->
                coordinator.accept(
                    new GateEvent.Finishing(
                        orders.attempt(), Finished.of(gate.emitted(), gate.dropped()))));
  }

  @Override
  public void emit(StreamRecord<T> record) {
    counts.emitted++;
    sink.collect(record);
  }

  @Override
  public void drop(StreamRecord<T> record) {
    drop();
  }

  @Override
  public void drop() {
    counts.dropped++;
  }

  @Override
  public void answer(long attempt, Answer answer) {
    coordinator.accept(new GateEvent.Answering(attempt, answer));
  }

  @Override
  public void atBarrier(AtBarrier barrier) {
    coordinator.accept(new GateEvent.Standing(barrier));
  }
}
