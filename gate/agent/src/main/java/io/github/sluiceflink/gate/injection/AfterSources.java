package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.sinks.SinkOperators;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.AbstractUdfStreamOperator;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;

/**
 * Finds where gates belong if every source is to have one. A gate there splits the input, so both
 * jobs together write what one would have written only if nothing behind it puts records together:
 * every operator has to be one that is known to look at each record alone.
 */
final class AfterSources {

  private static final String OPERATORS = "org.apache.flink.streaming.api.operators.";
  private static final String TABLE_OPERATORS = "org.apache.flink.table.runtime.operators.";

  /** Operators around a function of the user's, which may still have state of its own. */
  private static final Set<String> AROUND_FUNCTIONS =
      Set.of(
          OPERATORS + "StreamMap",
          OPERATORS + "StreamFlatMap",
          OPERATORS + "StreamFilter",
          OPERATORS + "ProcessOperator");

  private static final Set<String> STATELESS =
      Set.of(
          OPERATORS + "StreamProject",
          TABLE_OPERATORS + "sink.ConstraintEnforcer",
          TABLE_OPERATORS + "sink.constraint.ConstraintEnforcer",
          TABLE_OPERATORS + "sink.StreamRecordTimestampInserter",
          TABLE_OPERATORS + "source.InputConversionOperator",
          TABLE_OPERATORS + "sink.OutputConversionOperator");

  /** What the planner generates for projections and filters; its class is generated, too. */
  private static final String CALC = "StreamExecCalc";

  /** The first operator of a sink that writes; what is behind it is the sink's business. */
  private static final Set<String> WRITERS =
      Set.of(
          OPERATORS + "StreamSink",
          "org.apache.flink.streaming.runtime.operators.sink.SinkWriterOperator");

  private final StreamGraph graph;
  private final SinkOperators sinks;

  AfterSources(StreamGraph graph, SinkOperators sinks) {
    this.graph = graph;
    this.sinks = sinks;
  }

  /**
   * The points, in the order of the graph.
   *
   * @throws SubmissionRefused if something behind a source is not known to be without state
   */
  List<GatePoint> find() {
    List<StreamNode> sources =
        graph.getSourceIDs().stream()
            .map(graph::getStreamNode)
            .sorted(Comparator.comparingInt(StreamNode::getId))
            .collect(Collectors.toList());
    Set<String> reasons = new TreeSet<>();
    Set<Integer> seen = new HashSet<>(graph.getSourceIDs());
    List<GatePoint> points = new ArrayList<>();
    for (StreamNode source : sources) {
      if (source.getOutEdges().stream().anyMatch(edge -> edge.getOutputTag() != null)) {
        reasons.add("\"" + source.getOperatorName() + "\" has a side output");
      }
      walk(source, seen, reasons);
      points.add(GatePoint.after(source));
    }
    if (!reasons.isEmpty()) {
      throw new SubmissionRefused(
          "Gates cannot stand after the sources of this job, because what follows has to look at each"
              + " record alone: "
              + String.join("; ", reasons)
              + ". Set "
              + io.github.sluiceflink.gate.flink.GateOptions.INJECTION_POSITION.key()
              + " to BEFORE_SINK.");
    }
    return points;
  }

  private void walk(StreamNode from, Set<Integer> seen, Set<String> reasons) {
    for (StreamEdge edge : from.getOutEdges()) {
      StreamNode node = graph.getStreamNode(edge.getTargetId());
      if (!seen.add(node.getId()) || writes(node)) {
        continue;
      }
      String reason = objection(node);
      if (reason != null) {
        reasons.add("\"" + node.getOperatorName() + "\" " + reason);
      }
      walk(node, seen, reasons);
    }
  }

  private boolean writes(StreamNode node) {
    return sinks.sqlSinkOf(node) != null || WRITERS.contains(SinkOperators.operatorClass(node));
  }

  /** Why it may put records together, or null if it is known that it does not. */
  private static String objection(StreamNode node) {
    String operator = SinkOperators.operatorClass(node);
    if (node.getInEdges().stream().anyMatch(edge -> edge.getTypeNumber() > 0)) {
      return "has several inputs";
    }
    if (node.getStatePartitioners().length > 0 || node.getStateKeySerializer() != null) {
      return "is keyed";
    }
    if (STATELESS.contains(operator) || operator.startsWith(CALC)) {
      return null;
    }
    if (!AROUND_FUNCTIONS.contains(operator)) {
      return "(" + operator.substring(operator.lastIndexOf('.') + 1) + ") may have state or timers";
    }
    return hasState(node.getOperatorFactory()) ? "has state of its own" : null;
  }

  private static boolean hasState(StreamOperatorFactory<?> factory) {
    if (!(factory instanceof SimpleOperatorFactory)) {
      return true;
    }
    Object operator = ((SimpleOperatorFactory<?>) factory).getOperator();
    Object function =
        operator instanceof AbstractUdfStreamOperator
            ? ((AbstractUdfStreamOperator<?, ?>) operator).getUserFunction()
            : operator;
    return function instanceof CheckpointedFunction || keepsList(function.getClass());
  }

  /** An interface that only Flink 1 has. */
  private static boolean keepsList(Class<?> type) {
    for (Class<?> each = type; each != null; each = each.getSuperclass()) {
      for (Class<?> face : each.getInterfaces()) {
        if (face.getName().equals("org.apache.flink.streaming.api.checkpoint.ListCheckpointed")) {
          return true;
        }
      }
    }
    return false;
  }
}
