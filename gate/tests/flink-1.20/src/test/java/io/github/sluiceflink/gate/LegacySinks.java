package io.github.sluiceflink.gate;

import java.nio.file.Path;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.streaming.api.functions.sink.SinkFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.StreamingFileSink;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/** Sinks from before the Sink interface, which Flink 2 has moved to other packages. */
final class LegacySinks {

  private LegacySinks() {}

  static DataStreamSink<String> streamingFile(DataStream<String> lines, Path directory) {
    return lines.addSink(
        StreamingFileSink.forRowFormat(
                new org.apache.flink.core.fs.Path(directory.toUri()),
                new SimpleStringEncoder<String>())
            .withBucketAssigner(CountingJob.allDay())
            .withRollingPolicy(OnCheckpointRollingPolicy.build())
            .build());
  }

  static DataStreamSink<String> nothing(DataStream<String> lines) {
    return lines.addSink(new Nothing());
  }

  static DataStreamSink<String> counting(DataStream<String> lines, String name) {
    return lines.addSink(new Counting(name)).name(name);
  }

  /** Takes every line and does nothing with it. */
  private static final class Nothing implements SinkFunction<String> {
    @Override
    public void invoke(String line, Context context) {}
  }

  /** Tells the test of every line. */
  private static final class Counting implements SinkFunction<String> {
    private final String name;

    Counting(String name) {
      this.name = name;
    }

    @Override
    public void invoke(String line, Context context) {
      Written.add(name, line);
    }
  }
}
