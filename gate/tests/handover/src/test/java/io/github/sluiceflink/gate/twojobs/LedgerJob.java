package io.github.sluiceflink.gate.twojobs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.serialization.Encoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * The program of both jobs. It counts the records of each key, writes every record, and writes how
 * many records each key has in each second of event time. It knows nothing of handovers but the
 * colour, which it writes into every line.
 */
public final class LedgerJob {

  private LedgerJob() {}

  /**
   * Submits the job.
   *
   * @param arguments name=value: those of {@link Input}, {@code color}, {@code output}, {@code
   *     lag}, {@code rolling}
   */
  public static void main(String[] arguments) throws Exception {
    Map<String, String> values =
        Arrays.stream(arguments)
            .map(argument -> argument.split("=", 2))
            .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
    Input input = Input.fromArguments(values);
    String color = values.get("color");
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    WatermarkStrategy<Event> watermarks =
        WatermarkStrategy.<Event>forBoundedOutOfOrderness(Duration.ofMillis(input.bound()))
            .withTimestampAssigner((event, unused) -> event.timestamp);
    if (input.idleAfter() > 0) {
      watermarks = watermarks.withIdleness(Duration.ofMillis(input.idleAfter()));
    }
    SingleOutputStreamOperator<Event> counted =
        environment
            .fromSource(
                new LedgerSource(input, Long.parseLong(values.get("lag"))), watermarks, "input")
            .uid("input")
            .returns(Event.class)
            .keyBy(event -> event.key)
            .process(new Count())
            .uid("count");
    counted
        .map(event -> line("record", event, color))
        .uid("lines")
        .sinkTo(sink(values, "records"))
        .uid("records")
        .name("records");
    counted
        .filter(event -> !event.late)
        .uid("in-time")
        .keyBy(event -> event.key)
        .window(TumblingEventTimeWindows.of(Duration.ofMillis(Input.WINDOW)))
        .aggregate(new Size(), new Result(color))
        .uid("windows")
        .sinkTo(sink(values, "windows"))
        .uid("window-results")
        .name("windows");
    environment.execute("ledger-" + color.toLowerCase(java.util.Locale.ROOT));
  }

  private static String line(String what, Event event, String color) {
    return what
        + ","
        + event.split
        + ","
        + event.position
        + ","
        + event.timestamp
        + ","
        + event.count
        + ","
        + color;
  }

  private static FileSink<String> sink(Map<String, String> values, String name) {
    FileSink.DefaultRowFormatBuilder<String> sink =
        FileSink.forRowFormat(new Path(values.get("output") + "/" + name), new WithTime())
            .withBucketAssigner(new BasePathBucketAssigner<>());
    return values.get("rolling").equals("on-checkpoint")
        ? sink.withRollingPolicy(OnCheckpointRollingPolicy.build()).build()
        : sink.build();
  }

  /** Adds when a line reached the sink, in milliseconds since 1970. */
  private static final class WithTime implements Encoder<String> {
    @Override
    public void encode(String line, OutputStream out) throws IOException {
      out.write((line + "," + System.currentTimeMillis() + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Counts the records of each key. */
  private static final class Count extends KeyedProcessFunction<Integer, Event, Event> {
    private transient ValueState<Long> count;

    @Override
    public void processElement(Event event, Context context, Collector<Event> out)
        throws Exception {
      if (count == null) {
        count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
      }
      event.count = (count.value() == null ? 0 : count.value()) + 1;
      count.update(event.count);
      out.collect(event);
    }
  }

  private static final class Size implements AggregateFunction<Event, Long, Long> {
    @Override
    public Long createAccumulator() {
      return 0L;
    }

    @Override
    public Long add(Event event, Long size) {
      return size + 1;
    }

    @Override
    public Long getResult(Long size) {
      return size;
    }

    @Override
    public Long merge(Long one, Long other) {
      return one + other;
    }
  }

  private static final class Result
      extends ProcessWindowFunction<Long, String, Integer, TimeWindow> {
    private final String color;

    Result(String color) {
      this.color = color;
    }

    @Override
    public void process(Integer key, Context context, Iterable<Long> size, Collector<String> out) {
      out.collect(
          "window,"
              + key
              + ","
              + context.window().getStart()
              + ","
              + context.window().maxTimestamp()
              + ","
              + size.iterator().next()
              + ","
              + color);
    }
  }
}
