package io.github.sluiceflink.gate.cluster.job;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A user's job, in a jar of its own that holds nothing else: numbers, by key, to files. */
public final class NumbersJob {

  private NumbersJob() {}

  /**
   * Runs it.
   *
   * @param arguments where the files go, and how many numbers
   */
  public static void main(String[] arguments) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    environment
        .fromSource(
            new NumberSequenceSource(0, Long.parseLong(arguments[1]) - 1),
            WatermarkStrategy.<Long>forMonotonousTimestamps()
                .withTimestampAssigner((number, before) -> number),
            "numbers")
        .keyBy(number -> number % 7)
        .map(number -> "number " + number)
        .sinkTo(
            FileSink.forRowFormat(new Path(arguments[0]), new SimpleStringEncoder<String>())
                .build())
        .name("files");
    environment.execute("numbers");
  }
}
