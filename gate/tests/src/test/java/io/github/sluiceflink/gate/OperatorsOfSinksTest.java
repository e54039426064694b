package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.sink.compactor.ConcatFileCompactor;
import org.apache.flink.connector.file.sink.compactor.FileCompactStrategy;
import org.apache.flink.streaming.api.datastream.CustomSinkOperatorUidHashes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which operators get an id of the sink epoch: all of every sink, and no other. */
class OperatorsOfSinksTest {

  @TempDir Path directory;

  private final Configuration configuration = new Configuration();

  @Test
  void every_part_of_every_kind_of_sink_and_none_of_the_users_operators() {
    StreamGraph graph = graphOfEpoch(2);

    assertEquals(
        new TreeSet<>(
            Set.of(
                "Sink: legacy",
                "discarding: Writer",
                "plain: Writer",
                "plain: Committer",
                "compacting: Writer",
                "compacting: CompactorCoordinator",
                "compacting: CompactorOperator",
                "compacting: Committer",
                "staged: before writer",
                "staged: Writer",
                "staged: before committer",
                "staged: Committer",
                "staged: after committer")),
        changed(graphOfEpoch(0), graph));
  }

  @Test
  void each_epoch_has_ids_of_its_own_and_the_same_ones_each_time() {
    Set<String> all = changed(graphOfEpoch(0), graphOfEpoch(1));
    assertEquals(all, changed(graphOfEpoch(1), graphOfEpoch(2)));
    assertEquals(Set.of(), changed(graphOfEpoch(2), graphOfEpoch(2)));
  }

  @Test
  void the_operators_of_a_table_connector_that_is_no_sink_are_known_from_the_planner() {
    assertEquals(
        new TreeSet<>(Set.of("PartitionCommitter", "end: Writer", "StreamingFileWriter")),
        changed(tables(0), tables(1)));
  }

  @Test
  void an_end_that_may_write_though_it_is_no_sink_is_named() {
    List<String> warnings = new ArrayList<>();
    Appender appender =
        new AbstractAppender("warnings", null, null, true, Property.EMPTY_ARRAY) {
          @Override
          public void append(LogEvent event) {
            warnings.add(event.getMessage().getFormattedMessage());
          }
        };
    appender.start();
    Logger logger = (Logger) LogManager.getLogger("io.github.sluiceflink.gate.sinks.ForkSafeSinks");
    logger.addAppender(appender);
    logger.setLevel(Level.WARN);
    try {
      graphOfEpoch(1);
    } finally {
      logger.setLevel(Level.OFF);
      logger.removeAppender(appender);
    }
    assertEquals(
        List.of(
            "The job ends in \"no sink\", \"discarding: Writer\": if that writes anything, its state"
                + " cannot be told from the other operators', so it is restored from the"
                + " savepoint."),
        warnings);
  }

  @Test
  void results_that_a_client_collects_keep_their_id_by_which_it_asks_for_them() {
    configuration.setString("bluegreen.sinks.epoch", "1");
    StreamExecutionEnvironment environment = environment();
    environment.fromSequence(1, 3).map(it -> it + 1).collectAsync();
    StreamGraph graph = environment.getStreamGraph();
    assertTrue(
        graph.getJobConfiguration().toMap().get("bluegreen.internal.operator-ids").isEmpty());
  }

  @Test
  void state_that_the_user_names_by_a_hash_is_not_found_again_that_way() {
    configuration.setString("bluegreen.sinks.epoch", "1");
    StreamExecutionEnvironment environment = environment();
    DataStream<String> lines =
        environment
            .fromData("a")
            .map(it -> it)
            .returns(Types.STRING)
            .setUidHash("00000000000000000000000000000001");
    lines.sinkTo(
        new DiscardingSink<>(),
        CustomSinkOperatorUidHashes.builder()
            .setWriterUidHash("00000000000000000000000000000002")
            .build());
    LegacySinks.nothing(lines).setUidHash("00000000000000000000000000000003");
    for (StreamNode node : environment.getStreamGraph().getStreamNodes()) {
      if (node.getOperatorName().matches(".*(Writer|Sink).*")) {
        assertNull(node.getUserHash(), node.getOperatorName());
      } else if (node.getOperatorName().contains("Map")) {
        assertEquals("00000000000000000000000000000001", node.getUserHash());
      }
    }
  }

  private StreamGraph graphOfEpoch(long epoch) {
    configuration.setString("bluegreen.sinks.epoch", Long.toString(epoch));
    StreamExecutionEnvironment environment = environment();
    OutputTag<String> side = new OutputTag<>("side", Types.STRING);
    SingleOutputStreamOperator<String> lines =
        environment
            .fromSequence(1, 3)
            .keyBy(it -> it)
            .map(Object::toString)
            .returns(Types.STRING)
            .process(new Aside(side));
    LegacySinks.nothing(lines.keyBy(it -> it)).setParallelism(1).name("legacy");
    lines.sinkTo(new DiscardingSink<>()).name("discarding");
    lines.getSideOutput(side).sinkTo(files("plain").build()).name("plain");
    DataStream<String> several = lines.union(lines.rebalance(), lines.getSideOutput(side));
    several
        .sinkTo(
            files("compacting")
                .enableCompact(
                    FileCompactStrategy.Builder.newBuilder()
                        .enableCompactionOnCheckpoint(1)
                        .build(),
                    new ConcatFileCompactor())
                .build())
        .name("compacting")
        .uid("compacting");
    lines.sinkTo(new StagedSink("staged")).name("staged").uid("staged");
    // An end that is no sink: not told from the user's operators, and so not changed.
    lines.filter(it -> false).name("no sink");
    return environment.getStreamGraph();
  }

  private FileSink.DefaultRowFormatBuilder<String> files(String name) {
    return FileSink.forRowFormat(
        new org.apache.flink.core.fs.Path(directory.resolve(name).toUri()),
        new SimpleStringEncoder<String>());
  }

  private StreamGraph tables(long epoch) {
    configuration.setString("bluegreen.sinks.epoch", Long.toString(epoch));
    StreamExecutionEnvironment environment = environment();
    StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
    tables.createTemporaryView("numbers", environment.fromSequence(1, 3));
    tables.executeSql(
        "CREATE TABLE files (number BIGINT, part STRING) PARTITIONED BY (part) WITH ('connector' ="
            + " 'filesystem', 'format' = 'json', 'path' = '"
            + directory.resolve("table").toUri()
            + "', 'sink.partition-commit.policy.kind' = 'success-file')");
    tables
        .createStatementSet()
        .addInsertSql("INSERT INTO files SELECT f0, 'all' FROM numbers WHERE f0 < 0")
        .attachAsDataStream();
    return environment.getStreamGraph();
  }

  private StreamExecutionEnvironment environment() {
    configuration.setString("parallelism.default", "2");
    configuration.setString("execution.checkpointing.interval", "1 s");
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }

  /** The names of the operators whose ids differ between two graphs of the same program. */
  private static Set<String> changed(StreamGraph one, StreamGraph other) {
    Map<String, byte[]> ids = idsByName(one);
    Map<String, byte[]> others = idsByName(other);
    assertEquals(ids.keySet(), others.keySet());
    return ids.keySet().stream()
        .filter(name -> !Arrays.equals(ids.get(name), others.get(name)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Map<String, byte[]> idsByName(StreamGraph graph) {
    return new StreamGraphHasherV2()
        .traverseStreamGraphAndGenerateHashes(graph).entrySet().stream()
            .collect(
                Collectors.toMap(
                    // The planner numbers the nodes of all statements of a JVM.
                    id ->
                        graph
                            .getStreamNode(id.getKey())
                            .getOperatorName()
                            .replaceFirst("\\[\\d+]$", ""),
                    Map.Entry::getValue));
  }

  /** Sends every line to a side output, too. */
  private static final class Aside extends ProcessFunction<String, String> {
    private final OutputTag<String> side;

    Aside(OutputTag<String> side) {
      this.side = side;
    }

    @Override
    public void processElement(String line, Context context, Collector<String> lines) {
      context.output(side, line);
      lines.collect(line);
    }
  }
}
