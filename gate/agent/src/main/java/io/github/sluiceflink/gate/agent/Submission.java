package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.injection.GateInjection;
import io.github.sluiceflink.gate.sinks.ForkSafeSinks;
import io.github.sluiceflink.gate.sinks.OperatorIds;
import io.github.sluiceflink.gate.sinks.SinkEpoch;
import io.github.sluiceflink.gate.sinks.SinkOperators;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import io.github.sluiceflink.gate.sinks.XaSinks;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * What is done to a job between its generation and its submission. It may have to get gates, and
 * its sinks a state of their own; both come down to the ids of its operators, which are decided
 * here, from those that Flink makes for the graph as it was generated.
 */
final class Submission {

  private Submission() {}

  /**
   * Prepares a graph. One that asks for nothing is not touched.
   *
   * @param graph as Flink generated it
   * @param transformations that it was generated from
   * @param configuration with which it is submitted
   * @throws SubmissionRefused if the job must not be submitted
   */
  static void prepare(
      StreamGraph graph,
      Collection<Transformation<?>> transformations,
      Configuration configuration) {
    ForkSafeSinks.forget(graph, configuration);
    GateInjection.forget(configuration);
    boolean gates = GateInjection.isWanted(configuration);
    boolean epoch = ForkSafeSinks.isWanted(graph, configuration);
    if (!gates && !epoch) {
      return;
    }
    String key = gates ? GateOptions.INJECTION_ENABLED.key() : SinkEpoch.EPOCH.key();
    refuseWhereIdsAreMadeElsewhere(configuration, key);
    SinkOperators sinks = new SinkOperators(graph, transformations);
    XaSinks.warn(sinks);
    Map<Integer, byte[]> original = OperatorIds.generated(graph);
    Map<Integer, byte[]> ids = new TreeMap<>();
    if (gates) {
      GateInjection.putInto(graph, configuration, sinks, original);
      // Flink makes an id of what is around the operator, which is not what it was.
      ids.putAll(original);
    }
    if (epoch) {
      ids.putAll(ForkSafeSinks.ids(configuration, sinks, original));
    }
    OperatorIds carried = new OperatorIds(ids);
    carried.writeTo(graph.getJobConfiguration());
    Map<Integer, byte[]> present = OperatorIds.generated(graph);
    if (!carried.areIn(present)) {
      throw new SubmissionRefused(
          "The ids of this job's operators cannot be decided in this version of Flink, so their state"
              + " would not be found again; set "
              + (gates ? GateOptions.INJECTION_ENABLED.key() : SinkEpoch.FORK_SAFE.key())
              + " to false to start it all the same.");
    }
    if (epoch) {
      ForkSafeSinks.separate(graph, configuration, sinks, original, present);
    }
  }

  /**
   * Flink 2.x makes the ids in the JobMaster: if that is in another process, it is out of reach.
   */
  private static void refuseWhereIdsAreMadeElsewhere(Configuration configuration, String key) {
    String target = configuration.getOptional(DeploymentOptions.TARGET).orElse("");
    boolean session = target.equals("remote") || target.endsWith("-session");
    if (session && submitsStreamGraphs()) {
      throw new SubmissionRefused(
          key
              + " has no effect on a job that is submitted to a session cluster ("
              + target
              + ") of Flink 2; run it in application mode.");
    }
  }

  private static boolean submitsStreamGraphs() {
    for (Class<?> type : StreamGraph.class.getInterfaces()) {
      if (type.getSimpleName().equals("ExecutionPlan")) {
        return true;
      }
    }
    return false;
  }
}
