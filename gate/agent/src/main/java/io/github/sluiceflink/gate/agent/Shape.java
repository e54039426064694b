package io.github.sluiceflink.gate.agent;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;

/**
 * What of a graph decides where gates belong and which ids operators have: its operators, the ways
 * between them, uids and parallelism. It is text only, so that remembering it keeps no graph alive.
 */
final class Shape {

  /** What an operator or a way is called, and everything about it that counts. */
  private final Map<String, String> parts = new TreeMap<>();

  /** That of a graph as it is now. */
  Shape(StreamGraph graph) {
    for (StreamNode node : graph.getStreamNodes()) {
      StreamOperatorFactory<?> factory = node.getOperatorFactory();
      parts.put(
          "the operator " + name(node),
          System.identityHashCode(factory)
              + " "
              + node.getTransformationUID()
              + " "
              + node.getUserHash()
              + " "
              + node.getParallelism());
      for (StreamEdge edge : node.getOutEdges()) {
        StreamNode to = graph.getStreamNode(edge.getTargetId());
        parts.merge(
            "the way from " + name(node) + " to " + name(to),
            edge.getTypeNumber() + " " + edge.getOutputTag(),
            (one, other) -> one + ", " + other);
      }
    }
  }

  /** The first thing that is not as it was in an earlier shape, in words, or nothing. */
  Optional<String> changeSince(Shape earlier) {
    for (Map.Entry<String, String> part : parts.entrySet()) {
      String before = earlier.parts.get(part.getKey());
      if (before == null) {
        return Optional.of(part.getKey() + " was added");
      }
      if (!Objects.equals(before, part.getValue())) {
        return Optional.of(part.getKey() + " was changed");
      }
    }
    return earlier.parts.keySet().stream()
        .filter(part -> !parts.containsKey(part))
        .findFirst()
        .map(part -> part + " was taken out");
  }

  /** With the number, as several operators may have the same name. */
  private static String name(StreamNode node) {
    return node == null ? "nowhere" : "\"" + node.getOperatorName() + "\" (" + node.getId() + ")";
  }
}
