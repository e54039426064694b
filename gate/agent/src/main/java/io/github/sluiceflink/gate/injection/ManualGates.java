package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import io.github.sluiceflink.gate.sinks.SinkOperators;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;

/** The gates that a program has placed itself, with {@code Gate.apply}. */
final class ManualGates {

  private final StreamGraph graph;
  private final SinkOperators sinks;
  private final Set<Integer> gates = new HashSet<>();

  /**
   * Looks for them.
   *
   * @throws SubmissionRefused if one is where it does harm, or is of classes that are not the
   *     agent's
   */
  ManualGates(StreamGraph graph, SinkOperators sinks) {
    this.graph = graph;
    this.sinks = sinks;
    Set<Integer> ofSinks =
        sinks.operators().stream().map(StreamNode::getId).collect(Collectors.toSet());
    for (StreamNode node : graph.getStreamNodes()) {
      StreamOperatorFactory<?> factory = node.getOperatorFactory();
      if (factory == null
          || !factory.getClass().getName().equals(GateOperatorFactory.class.getName())) {
        continue;
      }
      if (!(factory instanceof GateOperatorFactory)) {
        throw new SubmissionRefused(
            "The job's jar brings a copy of Sluice's gate classes of its own; leave them out of it"
                + " (scope \"provided\"), the agent brings them.");
      }
      if (ofSinks.contains(node.getId())) {
        throw new SubmissionRefused(
            "The gate \""
                + node.getOperatorName()
                + "\" stands inside of a sink, where it would judge what is to be committed instead of"
                + " records; apply it to the stream that the sink is put on.");
      }
      gates.add(node.getId());
    }
  }

  boolean isEmpty() {
    return gates.isEmpty();
  }

  /**
   * Makes sure that every record goes through a gate before it is written.
   *
   * @throws SubmissionRefused if a sink, or an end that may be one, can be reached without
   */
  void refuseWaysAround() {
    Set<Integer> ungated =
        Reach.from(graph, graph.getSourceIDs(), edge -> gates.contains(edge.getTargetId()));
    List<StreamNode> around = new ArrayList<>(sinks.operators());
    around.addAll(sinks.doubtful());
    around.removeIf(node -> !ungated.contains(node.getId()));
    if (!around.isEmpty()) {
      throw new SubmissionRefused(
          "The program has placed its gates itself, but records get to "
              + around.stream()
                  .map(node -> "\"" + GatePoint.displayName(node) + "\"")
                  .distinct()
                  .collect(Collectors.joining(", "))
              + " without passing one; apply Gate to what these are put on, too, or to nothing, so that"
              + " every sink gets a gate by itself.");
    }
  }
}
