package io.github.sluiceflink.gate;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.filesystem.BucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.util.Collector;

/**
 * The job of these tests: it counts the numbers 0, 1, 2, ... by key and writes a line
 * "job-number-count" for each to every sink. It is replayable and deterministic, as a job has to be
 * that Sluice hands over.
 */
final class CountingJob {

  enum Sink {
    /** FileSink, its files open over many checkpoints. */
    FILE,
    /** FileSink with a new file for each checkpoint. */
    FILE_ON_CHECKPOINT,
    /** The sink that FileSink has replaced. */
    STREAMING_FILE,
    /** INSERT INTO a partitioned table of the filesystem connector, its files open as FILE's. */
    SQL
  }

  static final int KEYS = 4;

  private final String name;
  private final Path output;
  private final Configuration configuration = new Configuration();
  private final String pace;
  private long numbers = 60_000;
  private boolean writesNothing;
  private Set<Sink> sinks = EnumSet.of(Sink.FILE);
  private String countUid = "count";
  private KafkaSink<String> kafka;
  private Consumer<DataStream<String>> other;

  /** A job of this name that writes below this directory. */
  CountingJob(String name, Path directory) {
    this.name = name;
    output = directory.resolve("output");
    pace = name + " in " + directory;
    with("execution.checkpointing.interval", "200 ms");
    with(
        "execution.checkpointing.dir", directory.resolve("checkpoints-" + name).toUri().toString());
    with("restart-strategy.type", "none");
    with("parallelism.default", "1");
  }

  CountingJob with(String key, String value) {
    configuration.setString(key, value);
    return this;
  }

  /** No checkpoint but those that the test asks for, and the last one. */
  CountingJob withoutCheckpoints() {
    return with("execution.checkpointing.interval", "1 d");
  }

  /** Goes on from its last checkpoint when it fails. */
  CountingJob restarting() {
    with("restart-strategy.fixed-delay.attempts", "3");
    with("restart-strategy.fixed-delay.delay", "0 s");
    return with("restart-strategy.type", "fixed-delay");
  }

  /** An id that is given, as a cluster's for one application is, instead of drawn. */
  CountingJob id(String id) {
    return with("$internal.pipeline.job-id", id);
  }

  CountingJob sinkEpoch(long epoch) {
    return with("bluegreen.sinks.epoch", Long.toString(epoch));
  }

  CountingJob from(String savepoint) {
    return with("execution.savepoint.path", savepoint);
  }

  CountingJob to(Set<Sink> sinks) {
    this.sinks = sinks;
    return this;
  }

  /** To Kafka, and to nothing else. */
  CountingJob to(KafkaSink<String> kafka) {
    this.kafka = kafka;
    return to(EnumSet.noneOf(Sink.class));
  }

  /** To what this makes of the lines, and to nothing else. */
  CountingJob to(Consumer<DataStream<String>> other) {
    this.other = other;
    return to(EnumSet.noneOf(Sink.class));
  }

  /** As behind a closed gate: nothing reaches the sinks. */
  CountingJob writingNothing() {
    writesNothing = true;
    return this;
  }

  /** As if the user had renamed the operator with the counts. */
  CountingJob countingAs(String uid) {
    countUid = uid;
    return this;
  }

  String name() {
    return name;
  }

  String pace() {
    return pace;
  }

  long numbers() {
    return numbers;
  }

  Set<Sink> sinks() {
    return sinks;
  }

  Path outputOf(Sink sink) {
    return output.resolve(sink.name());
  }

  StreamExecutionEnvironment environment() {
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(configuration);
    boolean open = !writesNothing;
    DataStream<String> lines =
        environment
            .fromSource(
                new DataGeneratorSource<>(new Pace(pace), numbers, Types.LONG),
                WatermarkStrategy.noWatermarks(),
                "numbers")
            .uid("numbers")
            .keyBy(number -> number % KEYS)
            .process(new Count(name, pace))
            .uid(countUid)
            .filter(line -> open)
            .uid("gate");
    for (Sink sink : sinks) {
      write(environment, lines, sink);
    }
    if (kafka != null) {
      lines.sinkTo(kafka);
    }
    if (other != null) {
      other.accept(lines);
    }
    return environment;
  }

  StreamGraph graph() {
    return environment().getStreamGraph();
  }

  RunningJob start() throws Exception {
    return new RunningJob(this, environment().executeAsync(name));
  }

  private void write(StreamExecutionEnvironment environment, DataStream<String> lines, Sink sink) {
    org.apache.flink.core.fs.Path path = new org.apache.flink.core.fs.Path(outputOf(sink).toUri());
    switch (sink) {
      case FILE:
        lines.sinkTo(
            FileSink.forRowFormat(path, new SimpleStringEncoder<String>())
                .withBucketAssigner(allDay())
                .build());
        break;
      case FILE_ON_CHECKPOINT:
        lines.sinkTo(
            FileSink.forRowFormat(path, new SimpleStringEncoder<String>())
                .withBucketAssigner(allDay())
                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                .build());
        break;
      case STREAMING_FILE:
        LegacySinks.streamingFile(lines, outputOf(sink));
        break;
      case SQL:
        StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
        tables.createTemporaryView("lines", lines);
        tables.executeSql(
            "CREATE TABLE files (line STRING, part STRING) PARTITIONED BY (part) WITH ("
                + "'connector' = 'filesystem', 'format' = 'json', 'path' = '"
                + outputOf(sink).toUri()
                + "', 'sink.partition-commit.policy.kind' = 'success-file')");
        StreamStatementSet statements = tables.createStatementSet();
        statements.addInsertSql("INSERT INTO files SELECT f0, 'all' FROM lines");
        statements.attachAsDataStream();
        break;
    }
  }

  /**
   * Not a directory for each hour: a test that runs at the full hour would leave two files open.
   */
  static BucketAssigner<String, String> allDay() {
    return new BasePathBucketAssigner<>();
  }

  /** Counts the numbers of each key. */
  private static final class Count extends KeyedProcessFunction<Long, Long, String> {
    private final String job;
    private final String pace;
    private transient ValueState<Long> count;

    Count(String job, String pace) {
      this.job = job;
      this.pace = pace;
    }

    @Override
    public void processElement(Long number, Context context, Collector<String> lines)
        throws Exception {
      if (count == null) {
        count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
      }
      long next = (count.value() == null ? 0 : count.value()) + 1;
      count.update(next);
      Pace.processed(pace);
      lines.collect(job + "-" + number + "-" + next);
    }
  }
}
