package io.github.sluiceflink.gate.sinks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;
import org.apache.flink.streaming.api.operators.collect.CollectSinkOperatorFactory;
import org.apache.flink.streaming.api.transformations.LegacySinkTransformation;

/** Which operators of a graph belong to its sinks, found without the name of any connector. */
public final class SinkOperators {

  private final Map<Integer, Transformation<?>> program;
  private final SqlSinks sql;
  private final List<StreamNode> operators = new ArrayList<>();
  private final List<StreamNode> doubtful = new ArrayList<>();

  /**
   * Looks for them.
   *
   * @param graph as Flink generated it
   * @param roots the transformations that it was generated from
   */
  public SinkOperators(StreamGraph graph, Collection<Transformation<?>> roots) {
    program = Program.before(roots, it -> false);
    sql = SqlSinks.in(program);
    List<StreamNode> nodes = new ArrayList<>(graph.getStreamNodes());
    nodes.sort(Comparator.comparingInt(StreamNode::getId));
    for (StreamNode node : nodes) {
      if (isOfSink(node, program.get(node.getId()))) {
        operators.add(node);
      }
    }
    for (StreamNode node : nodes) {
      if (hidesSink(graph, node)) {
        doubtful.add(node);
      }
    }
  }

  /**
   * Writers, committers and whatever else the sinks were expanded to, in the order of the graph.
   */
  public List<StreamNode> operators() {
    return operators;
  }

  /** Where the graph ends in something that may write, though nothing says that it is a sink. */
  public List<StreamNode> doubtful() {
    return doubtful;
  }

  /**
   * What the SQL planner knows of the sink that an operator belongs to, or null if it is none of
   * its sinks.
   */
  public SqlSink sqlSinkOf(StreamNode operator) {
    return sql.of(operator.getId());
  }

  /** What the SQL planner knows of the program's sinks. */
  public List<SqlSink> sqlSinks() {
    return sql.all();
  }

  /** Where a table becomes a DataStream: what the planner knows of each. */
  public List<SqlSink> sqlConversions() {
    return sql.conversions();
  }

  /** What the transformation of an operator puts out, or null if Flink made the operator itself. */
  public TypeInformation<?> outputTypeOf(int operator) {
    Transformation<?> transformation = program.get(operator);
    return transformation == null ? null : transformation.getOutputType();
  }

  private boolean isOfSink(StreamNode node, Transformation<?> transformation) {
    StreamOperatorFactory<?> factory = node.getOperatorFactory();
    if (factory instanceof CollectSinkOperatorFactory) {
      // It brings results to the client that asked, which knows it by its id.
      return false;
    }
    if (transformation == null) {
      // Nobody's transformation, so it comes from the expansion of a sink. The other operators that
      // Flink makes by itself, the two ends of an iteration, have negative numbers.
      return node.getId() >= 0;
    }
    if (transformation instanceof LegacySinkTransformation) {
      return true;
    }
    return sql.contains(node.getId()) && !insertsTimestamps(node);
  }

  /** The planner puts this operator before the connector's; it has no state, so it keeps its id. */
  public static boolean insertsTimestamps(StreamNode node) {
    return operatorClass(node).endsWith(".StreamRecordTimestampInserter");
  }

  /**
   * A connector of the DataStream API that is no sink ends in operators with side effects, or in a
   * sink that discards everything. What comes before cannot be told from the user's own operators.
   */
  private boolean hidesSink(StreamGraph graph, StreamNode node) {
    if (!node.getOutEdges().isEmpty()
        || node.getId() < 0
        || node.getOperatorFactory() instanceof CollectSinkOperatorFactory) {
      return false;
    }
    if (!operators.contains(node)) {
      return true;
    }
    return !isOfSql(graph, node)
        && SinkObjects.of(node).stream()
            .anyMatch(sink -> sink.getClass().getName().contains(".DiscardingSink"))
        && node.getInEdges().stream()
            .map(StreamEdge::getSourceId)
            .anyMatch(source -> !graph.getSourceIDs().contains(source));
  }

  /**
   * Whether an operator, or what leads to it, is what the SQL planner made for a sink. What Flink
   * expands the planner's sink to has numbers that the planner does not know.
   */
  private boolean isOfSql(StreamGraph graph, StreamNode node) {
    Set<Integer> before = new HashSet<>();
    for (Transformation<?> query : sql.queries()) {
      addOperators(graph, query, before);
    }
    return sql.contains(node.getId())
        || node.getInEdges().stream()
            .map(StreamEdge::getSourceId)
            .allMatch(source -> sql.contains(source) || before.contains(source));
  }

  /** The operators that a transformation stands for: how records travel is no operator. */
  private static void addOperators(
      StreamGraph graph, Transformation<?> transformation, Set<Integer> operators) {
    if (graph.getStreamNode(transformation.getId()) != null) {
      operators.add(transformation.getId());
    } else {
      transformation.getInputs().forEach(input -> addOperators(graph, input, operators));
    }
  }

  /** The name of the class of an operator, or nothing if it has none. */
  public static String operatorClass(StreamNode node) {
    StreamOperatorFactory<?> factory = node.getOperatorFactory();
    return factory == null
        ? ""
        : factory.getStreamOperatorClass(Thread.currentThread().getContextClassLoader()).getName();
  }
}
