package io.github.sluiceflink.gate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.runtime.jobgraph.JobEdge;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.util.StringUtils;

/** A graph as it is going to run, in words. */
final class Chains {

  private Chains() {}

  /**
   * Every chain of operators, with its parallelism and with what leads to it: {@code A => [B -> C]
   * x2}. Between the chains that an edge joins stands how it partitions.
   */
  static List<String> of(StreamGraph graph) {
    List<String> chains = new ArrayList<>();
    for (JobVertex vertex : graph.getJobGraph().getVertices()) {
      List<String> from = new ArrayList<>();
      for (JobEdge edge : vertex.getInputs()) {
        from.add(edge.getShipStrategyName());
      }
      chains.add(
          String.join("+", from)
              + (from.isEmpty() ? "" : " => ")
              + "["
              + name(vertex.getName())
              + "] x"
              + vertex.getParallelism());
    }
    chains.sort(null);
    return chains;
  }

  /** The chain that holds an operator. */
  static String with(StreamGraph graph, String operator) {
    return of(graph).stream()
        .filter(chain -> chain.contains(operator))
        .collect(Collectors.joining(" | "));
  }

  /** The ids of all operators, by their names. */
  static Map<String, String> ids(StreamGraph graph) {
    Map<Integer, byte[]> hashes =
        new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph);
    Map<String, String> ids = new TreeMap<>();
    hashes.forEach(
        (node, id) ->
            ids.merge(
                name(graph.getStreamNode(node).getOperatorName()),
                StringUtils.byteToHexString(id),
                (one, other) -> {
                  String[] both = {one, other};
                  Arrays.sort(both);
                  return String.join("+", both);
                }));
    return ids;
  }

  static StreamNode node(StreamGraph graph, String operator) {
    return graph.getStreamNodes().stream()
        .filter(node -> name(node.getOperatorName()).equals(operator))
        .reduce(
            (one, other) -> {
              throw new AssertionError("several are called " + operator);
            })
        .orElseThrow(() -> new AssertionError("none is called " + operator));
  }

  /** The planner numbers the nodes of all statements of a JVM. */
  private static String name(String name) {
    return name.replaceAll("\\[\\d+]", "").replaceAll("\\$\\d+", "");
  }
}
