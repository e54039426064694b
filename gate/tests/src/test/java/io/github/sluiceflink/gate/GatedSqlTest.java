package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of tables: where their gates are, which are refused, and that rows go through once. */
class GatedSqlTest {

  private static final int ROWS = 200;

  @TempDir Path directory;

  private StreamExecutionEnvironment environment;
  private StreamTableEnvironment tables;

  @BeforeEach
  void tables() throws Exception {
    Gated.stable(directory.resolve("record"));
    tables(Gated.configuration(directory.resolve("record")));
  }

  private void tables(Configuration configuration) {
    environment = StreamExecutionEnvironment.createLocalEnvironment(configuration);
    tables = StreamTableEnvironment.create(environment);
    tables.executeSql(
        "CREATE TABLE numbers (number BIGINT, moment AS TO_TIMESTAMP_LTZ(number, 3), WATERMARK FOR moment AS moment)"
            + " WITH ('connector' = 'datagen', 'fields.number.kind' = 'sequence',"
            + " 'fields.number.start' = '1', 'fields.number.end' = '"
            + ROWS
            + "')");
  }

  @Test
  void insert() throws Exception {
    files("files");
    tables.executeSql("INSERT INTO files SELECT number, moment FROM numbers").await();
    assertEquals(ROWS, written("files").stream().distinct().count());
    assertEquals(ROWS, written("files").size());
  }

  @Test
  void a_statement_set_of_several_sinks() throws Exception {
    files("files");
    files("others");
    StatementSet statements = tables.createStatementSet();
    statements.addInsertSql("INSERT INTO files SELECT number, moment FROM numbers");
    statements.addInsertSql(
        "INSERT INTO others SELECT number, moment FROM numbers WHERE number <= 50");
    statements.execute().await();
    assertAll(
        () -> assertEquals(ROWS, written("files").size()),
        () -> assertEquals(50, written("others").size()));
  }

  @Test
  void tables_and_streams_in_one_program() throws Exception {
    files("files");
    StreamStatementSet statements = tables.createStatementSet();
    statements.addInsertSql("INSERT INTO files SELECT number, moment FROM numbers");
    statements.attachAsDataStream();
    tables
        .toDataStream(tables.sqlQuery("SELECT number, moment FROM numbers WHERE number <= 20"))
        .map(row -> "row " + row.getField(0))
        .returns(String.class)
        .name("text")
        .sinkTo(new CountingSink("from a table"))
        .name("stream");
    StreamGraph graph = environment.getStreamGraph(false);
    assertTrue(
        Chains.of(graph).stream().anyMatch(chain -> chain.contains("text -> gate before stream")),
        "not before the table becomes a stream: " + Chains.of(graph));
    assertEquals(2, gates(graph).size());

    environment.execute();

    assertAll(
        () -> assertEquals(ROWS, written("files").size()),
        () -> assertEquals(20, Written.to("from a table").stream().distinct().count()),
        () -> assertEquals(20, Written.to("from a table").size()));
  }

  @Test
  void results_that_are_collected() {
    List<Long> numbers = new ArrayList<>();
    tables
        .executeSql("SELECT number FROM numbers")
        .collect()
        .forEachRemaining(row -> numbers.add((Long) row.getField(0)));
    assertEquals(ROWS, numbers.size());
  }

  @Test
  void the_gate_of_a_connector_that_is_no_sink_stands_before_the_operators_that_write() {
    files("files");
    StreamGraph graph = graph("INSERT INTO files SELECT number, moment FROM numbers");
    String chain = Chains.with(graph, "gate before");
    assertTrue(chain.matches(".*gate before StreamingFileWriter -> StreamingFileWriter.*"), chain);
    assertEquals(
        1, gates(graph).size(), "and none before the sink at the end, which writes nothing");
  }

  @Test
  void a_gate_stands_behind_the_shuffle_by_a_tables_key() {
    tables.getConfig().set("table.exec.sink.keyed-shuffle", "FORCE");
    tables.executeSql(
        "CREATE TABLE keyed (number BIGINT, moment TIMESTAMP_LTZ(3), PRIMARY KEY (number) NOT ENFORCED)"
            + " WITH ('connector' = 'blackhole')");
    StreamGraph graph = graph("INSERT INTO keyed SELECT number, moment FROM numbers");
    String chain = Chains.with(graph, "gate before");
    assertTrue(chain.startsWith("HASH => ["), chain);
    assertEquals(1, gates(graph).size());
  }

  @Test
  void every_other_operator_keeps_its_id() {
    files("files");
    String insert = "INSERT INTO files SELECT number, moment FROM numbers WHERE number > 3";
    java.util.Map<String, String> gated = Chains.ids(graph(insert));
    Configuration plain = Gated.configuration(directory);
    plain.setString("bluegreen.gate.injection.enabled", "false");
    tables(plain);
    files("files");
    java.util.Map<String, String> ungated = Chains.ids(graph(insert));
    gated.keySet().removeIf(name -> name.startsWith("gate before "));
    assertEquals(ungated, gated);
  }

  @Test
  void a_table_that_several_statements_write_to_has_one_gate_where_it_is_one_sink() {
    files("files");
    StreamStatementSet statements = tables.createStatementSet();
    statements.addInsertSql(
        "INSERT INTO files SELECT number, moment FROM numbers WHERE number > 5");
    statements.addInsertSql(
        "INSERT INTO files SELECT number, moment FROM numbers WHERE number < 3");
    statements.attachAsDataStream();
    // The planner puts such sinks together from Flink 2.1 on.
    assertEquals(
        EnvironmentInformation.getVersion().matches("1\\..*|2\\.0\\..*") ? 2 : 1,
        gates(environment.getStreamGraph()).size());
  }

  @Test
  void a_sink_that_gets_updates_is_refused() {
    tables.executeSql(
        "CREATE TABLE counts (odd BOOLEAN, many BIGINT, PRIMARY KEY (odd) NOT ENFORCED)"
            + " WITH ('connector' = 'blackhole')");
    String refusal =
        assertThrows(
                RuntimeException.class,
                () ->
                    graph(
                        "INSERT INTO counts SELECT number > 3, COUNT(*) FROM numbers GROUP BY number > 3"))
            .getMessage();
    assertTrue(
        refusal.matches(
            "The sink \".*counts.*\" gets updates or deletions of what it was given before, which cannot"
                + " be divided at a point in time; set bluegreen.gate.strategy to SAVEPOINT, which hands"
                + " over every job that makes checkpoints\\."),
        refusal);
  }

  @Test
  void a_stream_of_updates_is_refused() {
    tables
        .toChangelogStream(tables.sqlQuery("SELECT COUNT(*) FROM numbers"))
        .map(row -> row.toString())
        .sinkTo(new CountingSink("unused"));
    assertEquals(
        "A table of this job becomes a DataStream of updates or deletions, which cannot be divided at a"
            + " point in time; set bluegreen.gate.strategy to SAVEPOINT, which hands over every job that"
            + " makes checkpoints.",
        assertThrows(RuntimeException.class, environment::getStreamGraph).getMessage());
  }

  @Test
  void a_column_that_is_named_but_not_written_is_refused() {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString("bluegreen.gate.watermark.field-name", "created");
    tables(configuration);
    files("files");
    String refusal =
        assertThrows(
                RuntimeException.class,
                () -> graph("INSERT INTO files SELECT number, moment FROM numbers"))
            .getMessage();
    assertTrue(
        refusal.startsWith(
            "The gate before \"StreamingFileWriter\" would not find the event time of its records: "),
        refusal);
    assertTrue(refusal.contains("created") && refusal.contains("number"), refusal);
  }

  private StreamGraph graph(String insert) {
    StreamStatementSet statements = tables.createStatementSet();
    statements.addInsertSql(insert);
    statements.attachAsDataStream();
    return environment.getStreamGraph();
  }

  private static List<StreamNode> gates(StreamGraph graph) {
    return graph.getStreamNodes().stream()
        .filter(node -> node.getOperatorName().startsWith("gate before "))
        .collect(Collectors.toList());
  }

  private void files(String name) {
    tables.executeSql(
        "CREATE TABLE "
            + name
            + " (number BIGINT, moment TIMESTAMP_LTZ(3)) WITH ('connector' = 'filesystem', 'format' ="
            + " 'json', 'path' = '"
            + directory.resolve(name).toUri()
            + "')");
  }

  private List<String> written(String table) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(table))) {
      List<String> lines = new ArrayList<>();
      for (Path file :
          files
              .filter(Files::isRegularFile)
              .filter(file -> !file.getFileName().toString().matches("[._].*"))
              .collect(Collectors.toList())) {
        lines.addAll(Files.readAllLines(file));
      }
      return lines;
    }
  }
}
