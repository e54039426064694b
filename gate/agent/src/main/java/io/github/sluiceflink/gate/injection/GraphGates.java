package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.lang.reflect.Method;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;
import org.apache.flink.streaming.api.transformations.StreamExchangeMode;
import org.apache.flink.streaming.runtime.partitioner.ForwardPartitioner;
import org.apache.flink.streaming.runtime.partitioner.StreamPartitioner;
import org.apache.flink.util.OutputTag;

/**
 * Puts a gate on the edges of a graph, so that nothing else about the graph changes: what an edge
 * said about how records travel is said by the edge that leads to the gate (or from it, after a
 * source), and the gate runs wherever its neighbour does.
 */
final class GraphGates {

  /**
   * Heads of chains that have given this to their gates. A graph may be generated several times
   * from the same operators, as for an explanation before the submission.
   */
  private static final Map<StreamOperatorFactory<?>, Boolean> FORMER_HEADS =
      Collections.synchronizedMap(new WeakHashMap<>());

  private final StreamGraph graph;

  GraphGates(StreamGraph graph) {
    this.graph = graph;
  }

  /**
   * Puts one in.
   *
   * @param uid by which Flink makes its id
   */
  void put(GatePoint point, String uid, String name, StreamOperatorFactory<?> factory) {
    StreamNode gate = addNode(point, uid, name, factory);
    if (point.isBefore()) {
      putBefore(point, gate);
    } else {
      putAfter(point, gate);
    }
  }

  private StreamNode addNode(
      GatePoint point, String uid, String name, StreamOperatorFactory<?> factory) {
    StreamNode neighbour = point.neighbour();
    factory.setChainingStrategy(
        point.isBefore() && takeHeadFrom(neighbour)
            ? ChainingStrategy.HEAD
            : ChainingStrategy.ALWAYS);
    int id = Transformation.getNewNodeId();
    graph.addOperator(
        id,
        neighbour.getSlotSharingGroup(),
        neighbour.getCoLocationGroup(),
        factory,
        null,
        null,
        name);
    graph.setSerializers(id, point.serializer(), null, point.serializer());
    graph.setParallelism(id, neighbour.getParallelism(), isParallelismConfigured(neighbour));
    graph.setMaxParallelism(id, maxParallelism(neighbour));
    graph.setBufferTimeout(id, neighbour.getBufferTimeout());
    graph.setResources(id, neighbour.getMinResources(), neighbour.getPreferredResources());
    graph.setTransformationUID(id, uid);
    return graph.getStreamNode(id);
  }

  private static boolean takeHeadFrom(StreamNode node) {
    StreamOperatorFactory<?> factory = node.getOperatorFactory();
    if (factory == null || FORMER_HEADS.containsKey(factory)) {
      return factory != null;
    }
    if (factory.getChainingStrategy() != ChainingStrategy.HEAD) {
      return false;
    }
    factory.setChainingStrategy(ChainingStrategy.ALWAYS);
    FORMER_HEADS.put(factory, true);
    return true;
  }

  private void putBefore(GatePoint point, StreamNode gate) {
    StreamNode head = point.neighbour();
    boolean unaligned = true;
    int number = 0;
    for (StreamEdge edge : point.edges()) {
      StreamNode from = graph.getStreamNode(edge.getSourceId());
      StreamEdge toGate = like(edge, from, gate, 0, number++);
      replace(from.getOutEdges(), edge, toGate);
      gate.addInEdge(toGate);
      unaligned &= edge.supportsUnalignedCheckpoints();
    }
    StreamEdge onward = forward(gate, head, point.input(), head.getBufferTimeout());
    onward.setSupportsUnalignedCheckpoints(unaligned);
    gate.addOutEdge(onward);
    // Where the first of them was: the order of inputs is that of the program.
    replace(head.getInEdges(), point.edges().get(0), onward);
    head.getInEdges().removeIf(it -> point.edges().stream().anyMatch(edge -> edge == it));
  }

  private void putAfter(GatePoint point, StreamNode gate) {
    StreamNode source = point.neighbour();
    int number = 0;
    for (StreamEdge edge : point.edges()) {
      StreamNode to = graph.getStreamNode(edge.getTargetId());
      StreamEdge fromGate = like(edge, gate, to, edge.getTypeNumber(), number++);
      replace(to.getInEdges(), edge, fromGate);
      gate.addOutEdge(fromGate);
    }
    StreamEdge toGate = forward(source, gate, 0, source.getBufferTimeout());
    List<StreamEdge> out = source.getOutEdges();
    out.clear();
    out.add(toGate);
    gate.addInEdge(toGate);
  }

  private static StreamEdge like(
      StreamEdge edge, StreamNode from, StreamNode to, int input, int number) {
    StreamPartitioner<?> partitioner = edge.getPartitioner();
    OutputTag<?> tag = edge.getOutputTag();
    StreamEdge copy =
        new StreamEdge(
            from,
            to,
            input,
            edge.getBufferTimeout(),
            partitioner,
            tag,
            edge.getExchangeMode(),
            number,
            edge.getIntermediateDatasetIdToProduce());
    copy.setSupportsUnalignedCheckpoints(edge.supportsUnalignedCheckpoints());
    return copy;
  }

  private static StreamEdge forward(StreamNode from, StreamNode to, int input, long bufferTimeout) {
    return new StreamEdge(
        from,
        to,
        input,
        bufferTimeout,
        new ForwardPartitioner<>(),
        null,
        StreamExchangeMode.UNDEFINED,
        0,
        null);
  }

  /** By identity: two edges between the same operators may be equal. */
  private static void replace(List<StreamEdge> edges, StreamEdge former, StreamEdge present) {
    for (int i = 0; i < edges.size(); i++) {
      if (edges.get(i) == former) {
        edges.set(i, present);
        return;
      }
    }
    throw new IllegalStateException(former + " is on one side of the graph only");
  }

  private static int maxParallelism(StreamNode node) {
    return (Integer) read(node, "getMaxParallelism");
  }

  private static boolean isParallelismConfigured(StreamNode node) {
    return (Boolean) read(node, "isParallelismConfigured");
  }

  /** Not public in every version of Flink. */
  private static Object read(StreamNode node, String getter) {
    try {
      Method method = StreamNode.class.getDeclaredMethod(getter);
      method.setAccessible(true);
      return method.invoke(node);
    } catch (ReflectiveOperationException e) {
      throw new SubmissionRefused(
          "Gates cannot be put into a job of this version of Flink: its graph has no "
              + getter
              + ".",
          e);
    }
  }
}
