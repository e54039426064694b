package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Gate;
import io.github.sluiceflink.gate.handover.GateOutput;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Kept;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.SubtaskReport;
import io.github.sluiceflink.gate.handover.Times;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.Collector;

/**
 * A gate's subtask with Flink's records: what it keeps, in bytes, and what it counts. Its records
 * are {@link StreamRecord}s as they come and {@link KeptRecord}s when they were kept.
 */
final class GateSubtask<T> implements GateOutput<Object> {

  private final TypeSerializer<T> serializer;
  private final Collector<StreamRecord<T>> sink;
  private final Consumer<GateEvent> coordinator;
  private final long maxBytes;
  private final long maxLead;
  private final boolean samplesClock;
  private final GateCounts counts = new GateCounts();
  private final DataOutputSerializer written = new DataOutputSerializer(256);
  private final DataInputDeserializer read = new DataInputDeserializer();
  private final Gate<Object> gate;

  /** The lowest timestamp that it keeps. */
  private long lowestKept = AtBarrier.NOTHING_KEPT;

  /** Below this, a record behind the watermark is counted as late. */
  private long lateBelow = Times.NO_TIMESTAMP;

  /** The timestamp of the last record since the clock was compared. */
  private long sample = Times.NO_TIMESTAMP;

  GateSubtask(
      GateOptions options,
      TypeSerializer<T> serializer,
      boolean samplesClock,
      GateState<Object> state,
      Collector<StreamRecord<T>> sink,
      Consumer<GateEvent> coordinator) {
    this.serializer = serializer;
    this.samplesClock = samplesClock;
    this.sink = sink;
    this.coordinator = coordinator;
    this.maxBytes = options.keptRecordsMaxBytes();
    this.maxLead = options.maxCutLead().toMillis();
    for (Kept<Object> kept : state.kept()) {
      counts.kept++;
      counts.keptBytes += ((KeptRecord) kept.record()).bytes();
    }
    this.gate = Gate.start(options.rules(), state, this);
    lowestKept = lowestOf(state.kept());
  }

  private static long lowestOf(List<Kept<Object>> kept) {
    long lowest = AtBarrier.NOTHING_KEPT;
    for (Kept<Object> one : kept) {
      lowest = Math.min(lowest, one.timestamp());
    }
    return lowest;
  }

  void onRecord(StreamRecord<T> record, long timestamp) {
    long eventTime = Times.eventTime(timestamp);
    sample = eventTime;
    if (eventTime == Times.NO_TIMESTAMP) {
      counts.untimed++;
    } else if (eventTime < lateBelow && eventTime <= gate.watermark()) {
      counts.late++;
    }
    long keptBefore = counts.kept;
    gate.onRecord(record, eventTime);
    if (counts.kept != keptBefore) {
      lowestKept = Math.min(lowestKept, eventTime);
    }
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
    lowestKept = counts.kept == 0 ? AtBarrier.NOTHING_KEPT : lowestOf(gate.state().kept());
  }

  void onBarrier(long checkpoint) {
    gate.onBarrier(checkpoint);
  }

  GateState<Object> state() {
    return gate.state();
  }

  /** Whether it keeps more than it may, so that no more input must come. */
  boolean isFull() {
    return counts.keptBytes > maxBytes;
  }

  boolean keepsNothing() {
    return counts.kept == 0;
  }

  long lowestKept() {
    return lowestKept;
  }

  Optional<Orders> orders() {
    return gate.orders();
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
  @SuppressWarnings("unchecked")
  public void emit(Object record) {
    counts.emitted++;
    if (record instanceof KeptRecord) {
      sink.collect(restored(forget((KeptRecord) record)));
    } else {
      sink.collect((StreamRecord<T>) record);
    }
  }

  @Override
  public void drop(Object record) {
    counts.dropped++;
    if (record instanceof KeptRecord) {
      forget((KeptRecord) record);
    }
  }

  @Override
  @SuppressWarnings("unchecked")
  public Object toBeKept(Object record) {
    KeptRecord copy;
    try {
      copy = KeptRecord.copyOf((StreamRecord<T>) record, serializer, written);
    } catch (IOException e) {
      throw new UncheckedIOException("a record that the gate has to keep cannot be written", e);
    }
    counts.kept++;
    counts.keptBytes += copy.bytes();
    return copy;
  }

  private KeptRecord forget(KeptRecord record) {
    counts.kept--;
    counts.keptBytes -= record.bytes();
    return record;
  }

  private StreamRecord<T> restored(KeptRecord record) {
    try {
      return record.restore(serializer, read);
    } catch (IOException e) {
      throw new UncheckedIOException("a record that the gate has kept cannot be read", e);
    }
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
