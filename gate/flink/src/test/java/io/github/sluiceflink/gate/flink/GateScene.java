package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;
import org.apache.flink.runtime.operators.coordination.OperatorEventDispatcher;
import org.apache.flink.runtime.operators.coordination.OperatorEventGateway;
import org.apache.flink.runtime.operators.coordination.OperatorEventHandler;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;

/** One subtask of a gate in Flink's harness, and what it says to its coordinator. */
final class GateScene<T> implements AutoCloseable {

  static final long EPOCH = 2;
  static final long ATTEMPT = 5;

  final OneInputStreamOperatorTestHarness<T, T> harness;
  final List<GateEvent> said = new ArrayList<>();
  private long number;
  private MailboxExecutor mailbox;
  private GateOperator<T> operator;

  GateScene(
      Configuration config,
      TypeSerializer<T> serializer,
      Timestamps<T> timestamps,
      int parallelism,
      int index)
      throws Exception {
    harness =
        new OneInputStreamOperatorTestHarness<>(
            new Factory(GateOptions.from(config), serializer, timestamps), 128, parallelism, index);
    harness.setup(serializer);
  }

  /** A gate for strings that starts from this state; from nothing if it is null. */
  static GateScene<String> start(Configuration config, OperatorSubtaskState state)
      throws Exception {
    return start(config, state, 1, 0);
  }

  static GateScene<String> start(
      Configuration config, OperatorSubtaskState state, int parallelism, int index)
      throws Exception {
    GateScene<String> scene =
        new GateScene<>(config, StringSerializer.INSTANCE, Timestamps.own(), parallelism, index);
    scene.open(state);
    return scene;
  }

  void open(OperatorSubtaskState state) throws Exception {
    if (state == null) {
      harness.initializeEmptyState();
    } else {
      harness.initializeState(state);
    }
    harness.open();
  }

  private final class Factory extends AbstractStreamOperatorFactory<T>
      implements OneInputStreamOperatorFactory<T, T> {
    private static final long serialVersionUID = 1L;
    private final transient GateOptions options;
    private final transient TypeSerializer<T> serializer;
    private final transient Timestamps<T> timestamps;

    Factory(GateOptions options, TypeSerializer<T> serializer, Timestamps<T> timestamps) {
      this.options = options;
      this.serializer = serializer;
      this.timestamps = timestamps;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <S extends StreamOperator<T>> S createStreamOperator(
        StreamOperatorParameters<T> parameters) {
      mailbox = parameters.getMailboxExecutor();
      operator =
          new GateOperator<>(
              options,
              GatePlace.of("test", 0, 1, "sink"),
              serializer,
              timestamps,
              new StreamOperatorParameters<>(
                  parameters.getContainingTask(),
                  parameters.getStreamConfig(),
                  parameters.getOutput(),
                  parameters::getProcessingTimeService,
                  new Listening(),
                  parameters.getMailboxExecutor()));
      return (S) operator;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
      return GateOperator.class;
    }
  }

  private final class Listening implements OperatorEventDispatcher {
    @Override
    public void registerEventHandler(OperatorID operator, OperatorEventHandler handler) {}

    @Override
    public OperatorEventGateway getOperatorEventGateway(OperatorID operator) {
      return event -> said.add((GateEvent) event);
    }
  }

  GateOperator<T> operator() {
    return operator;
  }

  void told(Told told) {
    told(EPOCH, ATTEMPT, told);
  }

  void told(long epoch, long attempt, Told told) {
    number++;
    event(new GateEvent.Telling(number, Orders.of(epoch, attempt, told)));
  }

  void event(OperatorEvent event) {
    operator.handleOperatorEvent(event);
  }

  void outgoing(Phase phase) {
    told(Told.outgoing(phase));
  }

  void incoming(Phase phase) {
    told(Told.incoming(phase));
  }

  /** Lets the gate be told as soon as it waits. */
  void toldWhileItWaits(Told told) {
    mailbox.execute(() -> told(told), "told");
  }

  void record(T value, long timestamp) throws Exception {
    harness.processElement(value, timestamp);
  }

  void untimed(T value) throws Exception {
    harness.processElement(new StreamRecord<>(value));
  }

  void watermark(long timestamp) throws Exception {
    harness.processWatermark(timestamp);
  }

  /** The records behind the gate since the last look. */
  List<T> passed() {
    List<T> passed = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return passed;
  }

  /** Everything behind the gate since the last look, watermarks among it. */
  List<Object> output() {
    List<Object> output = new ArrayList<>(harness.getOutput());
    harness.getOutput().clear();
    return output;
  }

  /** The watermarks behind the gate since the last look. */
  List<Long> watermarks() {
    return output().stream()
        .filter(Watermark.class::isInstance)
        .map(it -> ((Watermark) it).getTimestamp())
        .collect(Collectors.toList());
  }

  <E extends GateEvent> List<E> said(Class<E> kind) {
    return said.stream().filter(kind::isInstance).map(kind::cast).collect(Collectors.toList());
  }

  GateEvent.Reporting lastReport() {
    List<GateEvent.Reporting> reports = said(GateEvent.Reporting.class);
    return reports.get(reports.size() - 1);
  }

  long kept() {
    return operator.gate().orElseThrow().counts().kept;
  }

  GateCounts counts() {
    return operator.gate().orElseThrow().counts();
  }

  OperatorSubtaskState checkpoint(long id) throws Exception {
    return harness.snapshot(id, 0);
  }

  @Override
  public void close() {
    try {
      harness.close();
    } catch (Exception e) {
      throw new AssertionError("the harness does not close", e);
    }
  }
}
