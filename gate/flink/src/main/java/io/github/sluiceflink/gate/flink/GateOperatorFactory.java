package io.github.sluiceflink.gate.flink;

import java.util.Objects;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.CoordinatedOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes the subtasks of a gate, and its coordinator. */
public final class GateOperatorFactory<T> extends AbstractStreamOperatorFactory<T>
    implements OneInputStreamOperatorFactory<T, T>, CoordinatedOperatorFactory<T> {

  private static final long serialVersionUID = 1L;

  private final GateOptions options;
  private final TypeSerializer<T> serializer;
  private final Timestamps<T> timestamps;
  private GatePlace place;

  /**
   * A gate.
   *
   * @param serializer the sink's own; the one that the gate's input has must not copy
   */
  public GateOperatorFactory(
      GateOptions options,
      GatePlace place,
      TypeSerializer<T> serializer,
      Timestamps<T> timestamps) {
    this.options = Objects.requireNonNull(options);
    this.place = Objects.requireNonNull(place);
    this.serializer = Objects.requireNonNull(serializer);
    this.timestamps = Objects.requireNonNull(timestamps);
  }

  /** Where it stands. */
  public GatePlace place() {
    return place;
  }

  /** Says where it stands; only before the job is submitted. */
  public void setPlace(GatePlace place) {
    this.place = Objects.requireNonNull(place);
  }

  @Override
  @SuppressWarnings("unchecked")
  public <S extends StreamOperator<T>> S createStreamOperator(
      StreamOperatorParameters<T> parameters) {
    return (S) new GateOperator<>(options, place, serializer, timestamps, parameters);
  }

  /**
   * @throws IllegalStateException if nobody has said where the gate stands
   */
  @Override
  public OperatorCoordinator.Provider getCoordinatorProvider(
      String operatorName, OperatorID operator) {
    if (!place.isNumbered()) {
      throw new IllegalStateException(
          "the "
              + place
              + " was put in by hand, and the agent that would have to number it did not see the"
              + " job; start the JobManager, or the client that submits, with the agent");
    }
    return new GateCoordinator.Provider(operator, options, place);
  }

  @Override
  @SuppressWarnings("rawtypes")
  public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
    return GateOperator.class;
  }
}
