package io.github.sluiceflink.gate.injection;

import java.util.List;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamNode;

/** A point of a graph where a gate belongs. */
final class GatePoint {

  private static final int FIRST_OF_SEVERAL_INPUTS = 1;

  private final boolean before;
  private final StreamNode neighbour;
  private final List<StreamEdge> edges;

  private GatePoint(boolean before, StreamNode neighbour, List<StreamEdge> edges) {
    this.before = before;
    this.neighbour = neighbour;
    this.edges = List.copyOf(edges);
  }

  /**
   * Before an operator.
   *
   * @param edges of one input of it, which lead through the gate from then on
   */
  static GatePoint before(StreamNode head, List<StreamEdge> edges) {
    return new GatePoint(true, head, edges);
  }

  /** After a source, on all ways that lead from it. */
  static GatePoint after(StreamNode source) {
    return new GatePoint(false, source, source.getOutEdges());
  }

  /** Whether the gate stands before its neighbour, or after it. */
  boolean isBefore() {
    return before;
  }

  /** The operator whose parallelism, place and id the gate takes for its own. */
  StreamNode neighbour() {
    return neighbour;
  }

  /** The edges that lead through the gate. */
  List<StreamEdge> edges() {
    return edges;
  }

  /** Which input of its neighbour it stands before, as Flink numbers them: 0 for the only one. */
  int input() {
    return before ? edges.get(0).getTypeNumber() : 0;
  }

  /** That of the records that pass here. */
  TypeSerializer<?> serializer() {
    if (!before) {
      return neighbour.getTypeSerializerOut();
    }
    return neighbour.getTypeSerializersIn()[Math.max(0, input() - FIRST_OF_SEVERAL_INPUTS)];
  }

  /** What people call the place. */
  String name() {
    return displayName(neighbour);
  }

  /** The name of a sink without what Flink adds for its operators. */
  static String displayName(StreamNode node) {
    return node.getOperatorName().replaceFirst("^Sink: ", "").replaceFirst(": Writer$", "");
  }
}
