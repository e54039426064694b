package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A program may get its graph, keep it, change it and submit it with {@code executeAsync(graph)}:
 * the gates are in what runs, or it does not run.
 */
class SubmittedGraphTest {

  private static final long NUMBERS = 100;

  @TempDir Path directory;

  @BeforeEach
  void nobody_hands_over() throws Exception {
    Gated.stable(directory);
  }

  @Test
  void a_graph_that_only_got_another_name_runs_with_its_gates() throws Exception {
    StreamExecutionEnvironment environment = environment(true, "named");
    StreamGraph graph = environment.getStreamGraph();
    graph.setJobName("another name");
    environment.executeAsync(graph).getJobExecutionResult().get();
    assertEquals(lines(), written("named"));
    assertTrue(Chains.with(graph, "gate").contains("gate before sink"));
  }

  @Test
  void
      a_graph_is_submitted_by_another_environment_with_the_same_settings_and_takes_its_gates_along()
          throws Exception {
    StreamGraph graph = environment(true, "elsewhere").getStreamGraph();
    StreamExecutionEnvironment other = environment(true, "unused");
    other.executeAsync(graph).getJobExecutionResult().get();
    assertEquals(lines(), written("elsewhere"));
    assertEquals(1, other.getConfiguration().get(PipelineOptions.JARS).size());
  }

  @Test
  void a_sink_that_was_put_in_by_hand_would_have_no_gate() {
    StreamExecutionEnvironment environment = environment(true, "refused");
    StreamGraph graph = environment.getStreamGraph();
    StreamNode sink = Chains.node(graph, "sink: Writer");
    StreamNode source = Chains.node(graph, "Source: numbers");
    graph.addOperator(4711, "default", null, sink.getOperatorFactory(), null, null, "late sink");
    graph.setParallelism(4711, 1);
    graph.addEdge(source.getId(), 4711, 0);
    assertRefused(
        "The graph of this job is not as Flink has generated it: the operator \"late sink\" (4711) was"
            + " added, after it was decided what bluegreen.gate.injection.enabled asks for; make the"
            + " change in the program, before getStreamGraph() is called.",
        environment,
        graph);
    assertEquals(List.of(), written("refused"));
  }

  @Test
  void a_way_around_a_gate_a_uid_and_a_parallelism_are_changes_too() {
    StreamExecutionEnvironment environment = environment(true, "unused");
    StreamGraph around = environment.getStreamGraph(false);
    StreamNode source = Chains.node(around, "Source: numbers");
    StreamNode sink = Chains.node(around, "sink: Writer");
    around.addEdge(source.getId(), sink.getId(), 0);
    assertTrue(
        refusal(environment, around)
            .contains(
                "the way from \"Source: numbers\" ("
                    + source.getId()
                    + ") to \"sink: Writer\" ("
                    + sink.getId()
                    + ") was added"));

    StreamGraph without = environment.getStreamGraph(false);
    List<StreamEdge> edges = Chains.node(without, "lines").getOutEdges();
    edges.remove(edges.get(0));
    assertTrue(refusal(environment, without).contains("\"gate before sink\""));
    assertTrue(refusal(environment, without).contains("was taken out"));

    StreamGraph uid = environment.getStreamGraph(false);
    uid.setTransformationUID(Chains.node(uid, "Source: numbers").getId(), "other");
    assertTrue(refusal(environment, uid).contains(") was changed"));

    StreamGraph wider = environment.getStreamGraph(false);
    wider.setParallelism(Chains.node(wider, "sink: Writer").getId(), 5);
    assertTrue(refusal(environment, wider).contains("the operator \"sink: Writer\""));
  }

  @Test
  void a_graph_without_gates_is_not_submitted_where_they_are_asked_for_nor_the_other_way_round() {
    StreamExecutionEnvironment gated = environment(true, "unused");
    StreamExecutionEnvironment plain = environment(false, "unused");
    assertRefused(
        "The graph of this job was generated when bluegreen.gate.injection.enabled was false, but is"
            + " submitted when it is true; set it before the graph is generated, and submit the graph"
            + " with the same configuration.",
        gated,
        plain.getStreamGraph(false));
    assertRefused(
        "The graph of this job was generated when bluegreen.gate.injection.enabled was true, but is"
            + " submitted when it is false; set it before the graph is generated, and submit the graph"
            + " with the same configuration.",
        plain,
        gated.getStreamGraph(false));
  }

  @Test
  void a_graph_that_flink_did_not_generate_has_no_gates() {
    StreamExecutionEnvironment gated = environment(true, "unused");
    StreamGraph graph = environment(false, "unused").getStreamGraph();
    StreamGraph copy =
        new StreamGraph(
            gated.getConfiguration() instanceof Configuration
                ? (Configuration) gated.getConfiguration()
                : new Configuration(),
            graph.getExecutionConfig(),
            graph.getCheckpointConfig(),
            graph.getSavepointRestoreSettings());
    assertRefused(
        "bluegreen.gate.injection.enabled is set, but the graph of this job was not generated from a"
            + " program by Flink in this process, so nothing could be put in; let"
            + " StreamExecutionEnvironment generate it, or remove the key.",
        gated,
        copy);
  }

  @Test
  void a_job_that_asks_for_nothing_may_be_changed_as_ever() throws Exception {
    StreamExecutionEnvironment environment = environment(false, "plain");
    StreamGraph graph = environment.getStreamGraph();
    StreamNode sink = Chains.node(graph, "sink: Writer");
    graph.addOperator(4711, "default", null, sink.getOperatorFactory(), null, null, "late sink");
    graph.setSerializers(4711, sink.getTypeSerializersIn()[0], null, null);
    graph.setParallelism(4711, 1);
    graph.setMaxParallelism(4711, 128);
    graph.addEdge(Chains.node(graph, "lines").getId(), 4711, 0);
    environment.executeAsync(graph).getJobExecutionResult().get();
    assertEquals(2 * NUMBERS, Written.to("plain").size());
  }

  @Test
  void a_sink_epoch_is_decided_with_the_graph_too() {
    StreamExecutionEnvironment environment = environment(false, "unused", 2);
    StreamGraph graph = environment.getStreamGraph(false);
    ((Configuration) environment.getConfiguration()).setString("bluegreen.sinks.epoch", "3");
    assertRefused(
        "The graph of this job was generated when bluegreen.sinks.epoch was 2, but is submitted when it"
            + " is 3; set it before the graph is generated, and submit the graph with the same"
            + " configuration.",
        environment,
        graph);
  }

  private StreamExecutionEnvironment environment(boolean gates, String sink) {
    return environment(gates, sink, 0);
  }

  private StreamExecutionEnvironment environment(boolean gates, String sink, long epoch) {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString("bluegreen.gate.injection.enabled", Boolean.toString(gates));
    configuration.setString("bluegreen.sinks.epoch", Long.toString(epoch));
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(configuration);
    environment
        .fromSource(
            new DataGeneratorSource<>(number -> number, NUMBERS, Types.LONG),
            WatermarkStrategy.<Long>forMonotonousTimestamps()
                .withTimestampAssigner((number, before) -> number),
            "numbers")
        .map(number -> "line " + number)
        .name("lines")
        .sinkTo(new CountingSink(sink))
        .name("sink");
    return environment;
  }

  private static List<String> lines() {
    return LongStream.range(0, NUMBERS)
        .mapToObj(number -> "line " + number)
        .sorted()
        .collect(Collectors.toList());
  }

  private static List<String> written(String sink) {
    return Written.to(sink).stream().sorted().collect(Collectors.toList());
  }

  private static String refusal(StreamExecutionEnvironment environment, StreamGraph graph) {
    return assertThrows(RuntimeException.class, () -> environment.executeAsync(graph)).getMessage();
  }

  private static void assertRefused(
      String sentence, StreamExecutionEnvironment environment, StreamGraph graph) {
    assertEquals(sentence, refusal(environment, graph));
  }
}
