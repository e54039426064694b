package io.github.sluiceflink.gate.injection;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;

/** Where records can get to in a graph. */
final class Reach {

  private Reach() {}

  /**
   * The operators that a record can get to, those where it begins included.
   *
   * @param closed the edges that it cannot take
   */
  static Set<Integer> from(
      StreamGraph graph, Collection<Integer> begin, Predicate<StreamEdge> closed) {
    Set<Integer> reached = new HashSet<>();
    Deque<Integer> open = new ArrayDeque<>(begin);
    while (!open.isEmpty()) {
      Integer next = open.pop();
      if (reached.add(next)) {
        graph.getStreamNode(next).getOutEdges().stream()
            .filter(closed.negate())
            .map(StreamEdge::getTargetId)
            .forEach(open::add);
      }
    }
    return reached;
  }
}
