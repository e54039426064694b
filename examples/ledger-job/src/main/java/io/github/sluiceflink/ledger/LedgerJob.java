package io.github.sluiceflink.ledger;

import io.github.sluiceflink.ledger.source.EventFileSource;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;

/**
 * An account ledger: reads bookings from files that grow, keeps the balance of every account, and
 * writes every booking with the balance after it, each exactly once.
 *
 * <p>Every operator has a fixed uid, so that a savepoint of one version restores into the next.
 */
public final class LedgerJob {
  private static final Duration DISORDER = Duration.ofMillis(500);
  private static final Duration IDLE_AFTER = Duration.ofSeconds(2);
  private static final Duration WINDOW = Duration.ofSeconds(1);

  private LedgerJob() {}

  /** Runs the job until it is stopped; {@link LedgerArguments#USAGE} says how to call it. */
  public static void main(String[] args) throws Exception {
    LedgerArguments arguments = LedgerArguments.parse(args);
    if (arguments.failAtStart()) {
      throw new IllegalStateException("This version cannot start, as --fail-at-start asks.");
    }
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    build(env, arguments);
    env.execute("ledger");
  }

  static void build(StreamExecutionEnvironment env, LedgerArguments arguments) {
    arguments.checkpointIntervalMillis().ifPresent(env::enableCheckpointing);

    WatermarkStrategy<LedgerEvent> watermarks =
        WatermarkStrategy.<LedgerEvent>forBoundedOutOfOrderness(DISORDER)
            .withTimestampAssigner((event, sourceTimestamp) -> event.eventTime)
            .withIdleness(IDLE_AFTER);
    KeyedStream<LedgerEvent, String> bookings =
        env.fromSource(
                new EventFileSource(arguments.input(), arguments.splits()),
                watermarks,
                "events",
                TypeInformation.of(LedgerEvent.class))
            .uid("events")
            .keyBy(event -> event.account);

    bookings
        .process(
            new BalanceFunction(
                arguments.label(), arguments.inEventTimeOrder(), arguments.failAfter()))
        .uid("balance")
        .name("balance")
        .sinkTo(lines(arguments.output()))
        .uid("ledger")
        .name("ledger");

    bookings
        .window(TumblingEventTimeWindows.of(WINDOW))
        .process(new CountPerSecond(arguments.label()))
        .uid("count per second")
        .name("count per second")
        .sinkTo(lines(windows(arguments.output())))
        .uid("counts")
        .name("counts");
  }

  /** Where the counts per second go: beside the ledger, not into it. */
  static Path windows(Path output) {
    return output.resolveSibling(output.getFileName() + "-windows");
  }

  /** A new file with every checkpoint, and only files of completed checkpoints are committed. */
  private static FileSink<String> lines(Path directory) {
    return FileSink.forRowFormat(
            new org.apache.flink.core.fs.Path(directory.toUri()),
            new SimpleStringEncoder<String>("UTF-8"))
        .withBucketAssigner(new BasePathBucketAssigner<>())
        .withRollingPolicy(OnCheckpointRollingPolicy.build())
        .build();
  }
}
