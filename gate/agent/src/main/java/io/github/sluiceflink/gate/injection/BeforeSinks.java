package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.sinks.SinkOperators;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;

/**
 * Finds where gates belong if every sink is to have one: on the edges that lead into what a sink
 * was expanded to, and on those into operators that the user has named.
 */
final class BeforeSinks {

  private final StreamGraph graph;
  private final SinkOperators sinks;
  private final Set<Integer> sinkIds;

  BeforeSinks(StreamGraph graph, SinkOperators sinks) {
    this.graph = graph;
    this.sinks = sinks;
    sinkIds = sinks.operators().stream().map(StreamNode::getId).collect(Collectors.toSet());
  }

  /**
   * The points, in the order of the graph.
   *
   * @param named uids or names of operators that write though they are no sinks
   * @throws SubmissionRefused if records could be written that no gate has judged
   */
  List<GatePoint> find(Collection<String> named) {
    Set<StreamEdge> gated = new HashSet<>();
    Set<Integer> users = new HashSet<>();
    for (String name : named) {
      for (StreamNode node : operatorsCalled(name)) {
        users.add(node.getId());
        gated.addAll(node.getInEdges());
      }
    }
    Set<Integer> ungated = Reach.from(graph, graph.getSourceIDs(), gated::contains);
    refuseHiddenSinks(ungated);
    Set<Integer> behind = Reach.from(graph, users, it -> false);
    for (StreamNode sink : sinks.operators()) {
      for (StreamEdge edge : sink.getInEdges()) {
        int from = edge.getSourceId();
        if (sinkIds.contains(from) || gated.contains(edge) || !ungated.contains(from)) {
          continue;
        }
        if (behind.contains(from)) {
          throw new SubmissionRefused(
              "The sink \""
                  + GatePoint.displayName(sink)
                  + "\" gets records that went through the gate before an operator of "
                  + InjectionOptions.OPERATORS.key()
                  + ", and others that did not; name operators there that all of its records go"
                  + " through, or none of those before it.");
        }
        gated.add(edge);
      }
    }
    return points(gated);
  }

  private List<StreamNode> operatorsCalled(String name) {
    List<StreamNode> found =
        graph.getStreamNodes().stream()
            .filter(
                node ->
                    name.equals(node.getTransformationUID())
                        || name.equals(node.getOperatorName())
                        || name.equals(GatePoint.displayName(node)))
            .collect(Collectors.toList());
    if (found.isEmpty()) {
      throw new SubmissionRefused(
          InjectionOptions.OPERATORS.key()
              + " names \""
              + name
              + "\", but no operator of this job has that uid or name; it has "
              + names(graph.getStreamNodes())
              + ".");
    }
    for (StreamNode node : found) {
      if (node.getInEdges().isEmpty()) {
        throw new SubmissionRefused(
            InjectionOptions.OPERATORS.key()
                + " names \""
                + name
                + "\", which is a source: no gate can stand before it; name the operator that writes.");
      }
      boolean within =
          node.getInEdges().stream()
              .allMatch(
                  edge -> sinkIds.contains(node.getId()) && sinkIds.contains(edge.getSourceId()));
      if (within) {
        throw new SubmissionRefused(
            InjectionOptions.OPERATORS.key()
                + " names \""
                + name
                + "\", which is inside of a sink, where a gate would judge what is to be committed"
                + " instead of records; leave it out, the sink gets a gate of its own.");
      }
    }
    return found;
  }

  /** Where the graph ends in something that may write, and a record can get there ungated. */
  private void refuseHiddenSinks(Set<Integer> ungated) {
    List<StreamNode> hidden =
        sinks.doubtful().stream()
            .filter(node -> ungated.contains(node.getId()))
            .collect(Collectors.toList());
    if (!hidden.isEmpty()) {
      throw new SubmissionRefused(
          "The job ends in "
              + names(hidden)
              + ", which may write though it is no sink of Flink's, or hides an operator before it that"
              + " writes; name the operators before which gates belong, by uid or name, in "
              + InjectionOptions.OPERATORS.key()
              + " (the end itself if nothing before it writes).");
    }
  }

  private List<GatePoint> points(Set<StreamEdge> gated) {
    List<StreamNode> nodes = new ArrayList<>(graph.getStreamNodes());
    nodes.sort(Comparator.comparingInt(StreamNode::getId));
    List<GatePoint> points = new ArrayList<>();
    for (StreamNode node : nodes) {
      TreeMap<Integer, List<StreamEdge>> byInput =
          node.getInEdges().stream()
              .filter(gated::contains)
              .collect(
                  Collectors.groupingBy(
                      StreamEdge::getTypeNumber, TreeMap::new, Collectors.toList()));
      byInput.values().forEach(edges -> points.add(GatePoint.before(node, edges)));
    }
    return points;
  }

  static String names(Collection<StreamNode> nodes) {
    return nodes.stream()
        .sorted(Comparator.comparingInt(StreamNode::getId))
        .map(node -> "\"" + node.getOperatorName() + "\"")
        .collect(Collectors.joining(", "));
  }
}
