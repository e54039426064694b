package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.transformations.PhysicalTransformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where gates are put, and what stays as it was. */
class GatePlacesTest {

  @TempDir Path directory;

  @Test
  void a_gate_stands_before_the_first_operator_of_every_sink_and_is_chained_where_the_sink_was() {
    assertEquals(
        List.of(
            "BROADCAST => [broadcast: Writer] x2",
            "FORWARD => [alone: Writer] x2",
            "FORWARD => [head: Writer] x2",
            "FORWARD+FORWARD+REBALANCE => [compacting: Writer] x2",
            "HASH => [Sink: legacy] x3",
            "HASH => [own group: Writer] x2",
            "HASH => [staged: before writer -> staged: Writer -> staged: before committer -> staged:"
                + " Committer -> staged: after committer] x2",
            "REBALANCE => [compacting: CompactorCoordinator] x1",
            "REBALANCE => [compacting: CompactorOperator -> compacting: Committer] x2",
            "[Source: numbers -> lines -> (odds, files: Writer -> files: Committer)] x2"),
        Chains.of(everySink(false)));
    assertEquals(
        List.of(
            "BROADCAST => [gate before broadcast -> broadcast: Writer] x2",
            "FORWARD => [alone: Writer] x2",
            "FORWARD => [gate before head -> head: Writer] x2",
            "FORWARD+FORWARD+REBALANCE => [gate before compacting -> compacting: Writer] x2",
            "HASH => [gate before legacy -> Sink: legacy] x3",
            "HASH => [gate before own group -> own group: Writer] x2",
            "HASH => [gate before staged: before writer -> staged: before writer -> staged: Writer ->"
                + " staged: before committer -> staged: Committer -> staged: after committer] x2",
            "REBALANCE => [compacting: CompactorCoordinator] x1",
            "REBALANCE => [compacting: CompactorOperator -> compacting: Committer] x2",
            "[Source: numbers -> lines -> (odds, gate before files -> files: Writer -> files:"
                + " Committer, gate before alone)] x2"),
        Chains.of(everySink(true)));
  }

  @Test
  void every_other_operator_keeps_its_id() {
    Map<String, String> before = Chains.ids(everySink(false));
    Map<String, String> after = Chains.ids(everySink(true));
    after.keySet().removeIf(name -> name.startsWith("gate before "));
    assertEquals(before, after);
  }

  @Test
  void with_a_sink_epoch_the_sinks_have_its_ids_and_the_gates_the_same_ones_in_every_epoch() {
    Map<String, String> first = Chains.ids(everySink(true));
    Map<String, String> ungated = Chains.ids(everySink(false, 7));
    Map<String, String> fork = Chains.ids(everySink(true, 7));
    Map<String, String> gates = new TreeMap<>();
    fork.forEach(
        (name, id) -> {
          if (name.startsWith("gate before ")) {
            gates.put(name, id);
          }
        });
    assertEquals(8, gates.size());
    gates.forEach((name, id) -> assertEquals(first.get(name), id, name));
    fork.keySet().removeAll(gates.keySet());
    assertEquals(ungated, fork);
    assertNotEquals(first.get("files: Writer"), fork.get("files: Writer"));
  }

  @Test
  void a_gate_has_the_parallelism_and_the_slots_of_its_sink() {
    StreamGraph graph = everySink(true);
    StreamNode gate = Chains.node(graph, "gate before own group");
    StreamNode sink = Chains.node(graph, "own group: Writer");
    assertEquals("apart", gate.getSlotSharingGroup());
    assertEquals(sink.getParallelism(), gate.getParallelism());
    assertEquals(sink.getBufferTimeout(), gate.getBufferTimeout());
    assertEquals(sink.getMinResources(), gate.getMinResources());
    assertEquals(
        77,
        vertex(graph, "gate before own group").getMaxParallelism(),
        "the key groups of the stream are those of the sink");
    assertEquals(3, Chains.node(graph, "gate before legacy").getParallelism());
  }

  @Test
  void a_sink_that_runs_beside_another_one_takes_its_gate_along() {
    StreamExecutionEnvironment environment = environment(true, 0);
    PhysicalTransformation<?> sink =
        (PhysicalTransformation<?>)
            LegacySinks.nothing(environment.fromData("a")).name("beside").getTransformation();
    sink.setCoLocationGroupKey("together");
    assertEquals(
        "together",
        Chains.node(environment.getStreamGraph(), "gate before beside").getCoLocationGroup());
  }

  @Test
  void the_edges_of_a_union_keep_how_each_of_them_partitions_and_which_output_it_is() {
    StreamGraph graph = everySink(true);
    StreamNode gate = Chains.node(graph, "gate before compacting");
    assertEquals(
        List.of("lines FORWARD null", "lines REBALANCE null", "odds FORWARD null"),
        edges(graph, gate.getInEdges()));
    assertEquals(
        List.of("lines FORWARD odd"),
        edges(graph, Chains.node(graph, "gate before files").getInEdges()));
    assertNull(
        Chains.node(graph, "gate before files").getOutEdges().get(0).getOutputTag(),
        "what comes out of the gate is its only output");
  }

  @Test
  void what_an_edge_says_of_unaligned_checkpoints_and_of_waiting_for_full_buffers_is_kept() {
    StreamGraph plain = everySink(false);
    StreamGraph gated = everySink(true);
    StreamEdge before = Chains.node(plain, "broadcast: Writer").getInEdges().get(0);
    StreamEdge after = Chains.node(gated, "gate before broadcast").getInEdges().get(0);
    assertEquals(before.supportsUnalignedCheckpoints(), after.supportsUnalignedCheckpoints());
    assertFalse(after.supportsUnalignedCheckpoints(), "nobody can broadcast unaligned");
    assertEquals(before.getBufferTimeout(), after.getBufferTimeout());
    assertEquals(before.getExchangeMode(), after.getExchangeMode());
  }

  @Test
  void a_graph_that_is_generated_twice_is_gated_the_same_way_twice() {
    StreamExecutionEnvironment environment = environment(true, 0);
    EverySink.build(environment, "", directory);
    List<String> explained = Chains.of(environment.getStreamGraph(false));
    assertEquals(explained, Chains.of(environment.getStreamGraph(false)));
    assertTrue(explained.contains("FORWARD => [gate before head -> head: Writer] x2"));
  }

  @Test
  void results_that_a_client_collects_have_no_gate() {
    StreamExecutionEnvironment environment = environment(true, 0);
    environment.fromData("a").collectAsync();
    StreamGraph graph = environment.getStreamGraph();
    assertEquals("", Chains.with(graph, "gate before"));
    assertNull(
        environment.getConfiguration().get(org.apache.flink.configuration.PipelineOptions.JARS));
  }

  @Test
  void the_strategy_of_savepoints_needs_no_gate() {
    StreamExecutionEnvironment environment = with("bluegreen.gate.strategy", "SAVEPOINT");
    EverySink.build(environment, "", directory);
    assertEquals("", Chains.with(environment.getStreamGraph(), "gate before"));
  }

  @Test
  void an_operator_that_writes_though_it_is_no_sink_gets_a_gate_if_it_is_named() {
    for (String name : List.of("writes", "the writer")) {
      StreamExecutionEnvironment environment = with("bluegreen.gate.injection.operators", name);
      environment
          .fromData("a")
          .keyBy(line -> line)
          .map(line -> line)
          .returns(String.class)
          .name("the writer")
          .uid("writes")
          .sinkTo(new DiscardingSink<>())
          .name("end");
      assertEquals(
          "HASH => [gate before the writer -> the writer -> end: Writer] x2",
          Chains.with(environment.getStreamGraph(), "gate before"),
          "and the end behind it gets no second one");
    }
  }

  @Test
  void a_sink_that_is_partly_behind_a_named_operator_gets_a_gate_for_the_rest() {
    StreamExecutionEnvironment environment = with("bluegreen.gate.injection.operators", "named");
    DataStream<String> lines = environment.fromData("a");
    lines
        .union(lines.map(line -> line).returns(String.class).name("named"))
        .sinkTo(new CountingSink("unused"))
        .name("both");
    StreamGraph graph = environment.getStreamGraph();
    assertEquals(2, gates(graph));
    assertEquals(
        List.of("gate before both FORWARD null", "named FORWARD null"),
        edges(graph, Chains.node(graph, "both: Writer").getInEdges()));
  }

  @Test
  void several_jobs_from_one_main_method_are_each_decided_by_their_own_configuration() {
    StreamExecutionEnvironment gated = environment(true, 0);
    StreamExecutionEnvironment plain = environment(false, 0);
    for (StreamExecutionEnvironment each : List.of(gated, plain)) {
      each.fromData("a").sinkTo(new CountingSink("unused")).name("sink");
    }
    assertEquals(1, gates(gated.getStreamGraph(false)));
    assertEquals(0, gates(plain.getStreamGraph(false)));
    assertEquals(1, jars(gated).size());

    // The next job of the same environment is decided anew, too.
    ((Configuration) gated.getConfiguration())
        .setString("bluegreen.gate.injection.enabled", "false");
    assertEquals(0, gates(gated.getStreamGraph(false)));
    assertEquals(List.of(), jars(gated));
  }

  private static long gates(StreamGraph graph) {
    return graph.getStreamNodes().stream()
        .filter(node -> node.getOperatorName().startsWith("gate before "))
        .count();
  }

  private static List<String> jars(StreamExecutionEnvironment environment) {
    return environment
        .getConfiguration()
        .getOptional(org.apache.flink.configuration.PipelineOptions.JARS)
        .orElse(List.of());
  }

  private static org.apache.flink.runtime.jobgraph.JobVertex vertex(
      StreamGraph graph, String name) {
    for (org.apache.flink.runtime.jobgraph.JobVertex vertex : graph.getJobGraph().getVertices()) {
      if (vertex.getName().contains(name)) {
        return vertex;
      }
    }
    throw new AssertionError("no vertex with " + name);
  }

  private static List<String> edges(StreamGraph graph, List<StreamEdge> edges) {
    return edges.stream()
        .map(
            edge ->
                graph.getStreamNode(edge.getSourceId()).getOperatorName()
                    + " "
                    + edge.getPartitioner()
                    + " "
                    + (edge.getOutputTag() == null ? null : edge.getOutputTag().getId()))
        .sorted()
        .collect(Collectors.toList());
  }

  private StreamGraph everySink(boolean gated) {
    return everySink(gated, 0);
  }

  private StreamGraph everySink(boolean gated, long sinkEpoch) {
    StreamExecutionEnvironment environment = environment(gated, sinkEpoch);
    EverySink.build(environment, "", directory);
    return environment.getStreamGraph();
  }

  private StreamExecutionEnvironment environment(boolean gated, long sinkEpoch) {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString("bluegreen.gate.injection.enabled", Boolean.toString(gated));
    configuration.setString("bluegreen.sinks.epoch", Long.toString(sinkEpoch));
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }

  private StreamExecutionEnvironment with(String key, String value) {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString(key, value);
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }
}
