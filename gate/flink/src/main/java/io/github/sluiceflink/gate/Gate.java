package io.github.sluiceflink.gate;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.flink.GatePlace;
import io.github.sluiceflink.gate.flink.Timestamps;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** For people who put gates into their job themselves. */
public final class Gate {

  private Gate() {}

  /**
   * The stream through a gate. Everything that it feeds has to be the outside, or lead there
   * without state. The job has to be submitted with the agent, which numbers the job's gates, and
   * which puts no gate of its own before a sink that has one.
   *
   * <p>Where gates are not enabled ({@code bluegreen.gate.injection.enabled}), or the job is handed
   * over without them, it is the stream itself.
   *
   * @throws IllegalArgumentException if the options of the gates have a value that they cannot
   *     have; the message names it
   */
  public static <T> DataStream<T> apply(DataStream<T> stream) {
    GateOptions options = GateOptions.from(stream.getExecutionEnvironment().getConfiguration());
    if (!options.enabled() || options.strategy() != GateOptions.Strategy.WATERMARK) {
      return stream;
    }
    TypeInformation<T> type = stream.getType();
    Timestamps<T> timestamps =
        Timestamps.choose(options, type, -1, Thread.currentThread().getContextClassLoader());
    String name = stream.getTransformation().getName();
    SingleOutputStreamOperator<T> gated =
        stream.transform(
            "Gate",
            type,
            new GateOperatorFactory<>(
                options,
                GatePlace.byHand(name),
                type.createSerializer(stream.getExecutionConfig().getSerializerConfig()),
                timestamps));
    return gated.setParallelism(stream.getParallelism());
  }
}
