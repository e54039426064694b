package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.flink.GatePlace;
import io.github.sluiceflink.gate.flink.Timestamps;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.operators.ChainingStrategy;

/** Puts a gate behind a stream. */
final class Gated {

  private Gated() {}

  static <T> DataStream<T> stream(DataStream<T> stream, Configuration configuration) {
    GateOperatorFactory<T> factory =
        new GateOperatorFactory<>(
            GateOptions.from(configuration),
            GatePlace.of("bench", 0, 1, "sink"),
            stream
                .getType()
                .createSerializer(
                    stream.getExecutionEnvironment().getConfig().getSerializerConfig()),
            Timestamps.own());
    factory.setChainingStrategy(ChainingStrategy.ALWAYS);
    return stream.transform("gate", stream.getType(), factory).uid("gate");
  }
}
