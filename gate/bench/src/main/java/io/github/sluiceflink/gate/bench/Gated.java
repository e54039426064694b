package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.flink.GatePlace;
import io.github.sluiceflink.gate.flink.NotCopying;
import io.github.sluiceflink.gate.flink.Timestamps;
import java.util.UUID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;

/** Puts gates into jobs as the agent does, for a process without the agent. */
final class Gated {

  private static final String NAME = "gate";

  private Gated() {}

  /** A gate behind a stream. */
  static <T> DataStream<T> stream(DataStream<T> stream, Configuration configuration) {
    GateOperatorFactory<T> factory =
        new GateOperatorFactory<>(
            GateOptions.from(configuration),
            GatePlace.of(UUID.randomUUID().toString(), 0, 1, "sink"),
            stream
                .getType()
                .createSerializer(
                    stream.getExecutionEnvironment().getConfig().getSerializerConfig()),
            Timestamps.own());
    return operator(stream, factory);
  }

  /** Another operator behind a stream, at the same place. */
  static <T, F extends AbstractStreamOperatorFactory<T> & OneInputStreamOperatorFactory<T, T>>
      DataStream<T> operator(DataStream<T> stream, F factory) {
    factory.setChainingStrategy(ChainingStrategy.ALWAYS);
    return stream.transform(NAME, stream.getType(), factory).uid(NAME);
  }

  /** Submits a job; what comes to its gates is not copied. */
  static JobClient submit(StreamExecutionEnvironment environment) throws Exception {
    StreamGraph graph = environment.getStreamGraph();
    for (StreamNode node : graph.getStreamNodes()) {
      if (NAME.equals(node.getOperatorName())) {
        node.setSerializersIn(NotCopying.of(node.getTypeSerializersIn()[0]));
      }
    }
    return environment.executeAsync(graph);
  }
}
