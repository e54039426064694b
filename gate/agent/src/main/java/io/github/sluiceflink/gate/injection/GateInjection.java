package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.flink.GatePlace;
import io.github.sluiceflink.gate.flink.NotCopying;
import io.github.sluiceflink.gate.flink.Timestamps;
import io.github.sluiceflink.gate.sinks.OperatorIds;
import io.github.sluiceflink.gate.sinks.SinkOperators;
import io.github.sluiceflink.gate.sinks.SqlSink;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.jobgraph.JobType;
import org.apache.flink.streaming.api.graph.StreamEdge;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.util.StringUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts gates into a job that asks for them ({@code bluegreen.gate.injection.enabled}), or refuses
 * the submission with the reason. A job that does not ask is not looked at.
 */
public final class GateInjection {

  private static final Logger LOG = LoggerFactory.getLogger(GateInjection.class);

  private static final String REMEDY_FOR_CHANGES =
      "set "
          + GateOptions.STRATEGY.key()
          + " to SAVEPOINT, which hands over every job that makes checkpoints.";

  private final StreamGraph graph;
  private final Configuration configuration;
  private final SinkOperators sinks;
  private final GateOptions options;

  private GateInjection(StreamGraph graph, Configuration configuration, SinkOperators sinks) {
    this.graph = graph;
    this.configuration = configuration;
    this.sinks = sinks;
    options = InjectionOptions.of(configuration);
  }

  /**
   * Whether a job is to get gates: they are enabled, and its strategy needs them.
   *
   * @throws SubmissionRefused if that cannot be told from the configuration
   */
  public static boolean isWanted(Configuration configuration) {
    return InjectionOptions.wantsGates(configuration);
  }

  /** Takes back what an earlier job with this configuration was given. */
  public static void forget(Configuration configuration) {
    GateJar.removeFrom(configuration);
  }

  /** Sees to it that the gates' classes travel with a graph that has gates, whoever submits it. */
  public static void takeAlong(StreamGraph graph, Configuration configuration) {
    if (graph.getStreamNodes().stream().anyMatch(GateInjection::isGate)) {
      GateJar.addTo(configuration);
    }
  }

  /**
   * Puts the gates in.
   *
   * @param graph as Flink generated it
   * @param configuration with which it is submitted; gets the jar with the gate's classes
   * @param sinks the operators of the graph's sinks
   * @param original the ids that Flink generates for the operators without gates
   * @throws SubmissionRefused if the job cannot have gates that do what they are for
   */
  public static void putInto(
      StreamGraph graph,
      Configuration configuration,
      SinkOperators sinks,
      Map<Integer, byte[]> original) {
    if (graph.getJobType() != JobType.STREAMING) {
      throw new SubmissionRefused(
          "A batch job cannot have gates: it has no checkpoints, and writes when it ends; run it in"
              + " streaming mode (execution.runtime-mode), or set "
              + GateOptions.INJECTION_ENABLED.key()
              + " to false.");
    }
    new GateInjection(graph, configuration, sinks).put(original);
  }

  private void put(Map<Integer, byte[]> original) {
    refuseWithoutCheckpoints();
    refuseIterations();
    ManualGates manual = new ManualGates(graph, sinks);
    if (manual.isEmpty()) {
      refuseChanges();
      warnOfSinksWithoutTime();
      List<GatePoint> points =
          options.position() == GateOptions.Position.AFTER_SOURCE
              ? new AfterSources(graph, sinks).find()
              : new BeforeSinks(graph, sinks).find(InjectionOptions.operators(configuration));
      points.forEach(point -> put(point, original.get(point.neighbour().getId())));
    } else {
      manual.refuseWaysAround();
    }
    List<StreamNode> gates = number();
    if (gates.isEmpty()) {
      LOG.warn(
          "This job has no sink that writes anything, and so no gate: it cannot be handed over.");
      return;
    }
    GateJar.addTo(configuration);
    LOG.info("Put in: {}.", BeforeSinks.names(gates));
  }

  private <T> void put(GatePoint point, byte[] originalId) {
    @SuppressWarnings("unchecked")
    TypeSerializer<T> serializer = (TypeSerializer<T>) point.serializer();
    @SuppressWarnings("unchecked")
    TypeInformation<T> type = (TypeInformation<T>) typeAt(point);
    GateOperatorFactory<T> factory =
        new GateOperatorFactory<>(
            options, GatePlace.byHand(point.name()), serializer, timestamps(point, type));
    String side = point.isBefore() ? "before" : "after";
    String uid = "sluice-gate-" + side + "-" + StringUtils.byteToHexString(originalId);
    new GraphGates(graph)
        .put(
            point,
            point.input() == 0 ? uid : uid + "-" + point.input(),
            "gate " + side + " " + point.name(),
            factory);
  }

  /** Numbers all gates of the graph in the order of their ids, and ties them together. */
  private List<StreamNode> number() {
    Map<Integer, byte[]> ids = OperatorIds.generated(graph);
    List<StreamNode> gates =
        graph.getStreamNodes().stream()
            .filter(GateInjection::isGate)
            .sorted(
                Comparator.comparing(node -> StringUtils.byteToHexString(ids.get(node.getId()))))
            .collect(Collectors.toList());
    String injection = UUID.randomUUID().toString();
    for (int gate = 0; gate < gates.size(); gate++) {
      StreamNode node = gates.get(gate);
      node.setSerializersIn(NotCopying.of(node.getTypeSerializersIn()[0]));
      GateOperatorFactory<?> factory = (GateOperatorFactory<?>) node.getOperatorFactory();
      factory.setPlace(GatePlace.of(injection, gate, gates.size(), factory.place().sink()));
    }
    return gates;
  }

  private static boolean isGate(StreamNode node) {
    return node.getOperatorFactory() instanceof GateOperatorFactory;
  }

  private TypeInformation<?> typeAt(GatePoint point) {
    if (point.isBefore()) {
      StreamEdge edge = point.edges().get(0);
      return edge.getOutputTag() == null
          ? sinks.outputTypeOf(edge.getSourceId())
          : edge.getOutputTag().getTypeInfo();
    }
    return sinks.outputTypeOf(point.neighbour().getId());
  }

  /**
   * Where the records of a point have their event time. The planner puts that of a row into the
   * record itself only for some kinds of sinks; for the others the column is read.
   */
  private <T> Timestamps<T> timestamps(GatePoint point, TypeInformation<T> type) {
    SqlSink sql = point.isBefore() ? sinks.sqlSinkOf(point.neighbour()) : null;
    boolean inRecord =
        sql == null
            || point.edges().stream()
                .map(edge -> graph.getStreamNode(edge.getSourceId()))
                .allMatch(SinkOperators::insertsTimestamps);
    int rowtime = inRecord ? -1 : sql.rowtime();
    try {
      return Timestamps.choose(
          options, type, rowtime, Thread.currentThread().getContextClassLoader());
    } catch (IllegalArgumentException e) {
      throw new SubmissionRefused(
          "The gate "
              + (point.isBefore() ? "before" : "after")
              + " \""
              + point.name()
              + "\" would not find the event time of its records: "
              + e.getMessage()
              + ".",
          e);
    }
  }

  /**
   * Not refused: the job itself may run, and a handover is given up before anything is switched.
   */
  private void warnOfSinksWithoutTime() {
    boolean named =
        options.extractorClass().isPresent()
            || options.fieldPath().isPresent()
            || options.fieldName().isPresent()
            || options.fieldIndex().isPresent();
    for (SqlSink sink : sinks.sqlSinks()) {
      if (sink.rowtime() < 0 && !named) {
        LOG.warn(
            "The rows for \"{}\" have no time attribute among the columns that are written, so their"
                + " gate cannot tell when they belong to which job, and every handover will be given up"
                + " before it begins; name a column of them in {}, or set {} to SAVEPOINT.",
            sink.name(),
            GateOptions.FIELD_NAME.key(),
            GateOptions.STRATEGY.key());
      }
    }
  }

  private void refuseWithoutCheckpoints() {
    if (!graph.getCheckpointConfig().isCheckpointingEnabled()) {
      throw new SubmissionRefused(
          "The job makes no checkpoints, and without them no record can be handed over exactly; set"
              + " execution.checkpointing.interval, or "
              + GateOptions.INJECTION_ENABLED.key()
              + " to false.");
    }
  }

  /** Their two ends have negative numbers, and what goes round in them is in no checkpoint. */
  private void refuseIterations() {
    if (graph.getStreamNodes().stream().anyMatch(node -> node.getId() < 0)) {
      throw new SubmissionRefused(
          "The job has an iteration, whose records are in no checkpoint, so they cannot be handed over;"
              + " set "
              + GateOptions.INJECTION_ENABLED.key()
              + " to false.");
    }
  }

  /** A row and its update may lie on both sides of a point in time. */
  private void refuseChanges() {
    for (SqlSink sink : sinks.sqlSinks()) {
      if (!sink.insertOnly()) {
        throw new SubmissionRefused(
            "The sink \""
                + sink.name()
                + "\" gets updates or deletions of what it was given before, which cannot be divided at"
                + " a point in time; "
                + REMEDY_FOR_CHANGES);
      }
    }
    if (sinks.sqlConversions().stream().anyMatch(conversion -> !conversion.insertOnly())) {
      throw new SubmissionRefused(
          "A table of this job becomes a DataStream of updates or deletions, which cannot be divided at"
              + " a point in time; "
              + REMEDY_FOR_CHANGES);
    }
  }
}
