package io.github.sluiceflink.gate.sinks;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.runtime.jobgraph.JobType;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the sinks of a job the ids, and so the state, of its sink epoch.
 *
 * <p>A job that starts from an intermediate savepoint of a job that goes on running would restore
 * the other one's open files and transactions, and truncate or abort them under its hands. With a
 * sink epoch of its own, it finds no state of its sinks in the savepoint and starts new files and
 * transactions.
 */
public final class ForkSafeSinks {

  private static final Logger LOG = LoggerFactory.getLogger(ForkSafeSinks.class);

  private ForkSafeSinks() {}

  /**
   * Prepares a graph that is about to be submitted. Without a sink epoch in the configuration it is
   * not touched.
   *
   * @param graph as Flink generated it
   * @param transformations that it was generated from
   * @param configuration with which it is submitted; may get the permission to leave state behind
   * @throws SubmissionRefused if the job must not be submitted
   */
  public static void prepare(
      StreamGraph graph,
      Collection<Transformation<?>> transformations,
      Configuration configuration) {
    SavepointFork.forbid(graph, configuration);
    long epoch = SinkEpoch.of(configuration);
    if (epoch == 0) {
      return;
    }
    if (graph.getJobType() != JobType.STREAMING) {
      LOG.info("A batch job starts from no savepoint: {} is not needed.", SinkEpoch.EPOCH.key());
      return;
    }
    refuseWhereIdsAreMadeElsewhere(configuration);
    SinkOperators found = new SinkOperators(graph, transformations);
    List<StreamNode> sinks = found.operators();
    Map<Integer, byte[]> original = hashes(graph);
    Map<Integer, byte[]> derived = new TreeMap<>();
    for (StreamNode sink : sinks) {
      derived.put(sink.getId(), OperatorIds.derive(original.get(sink.getId()), epoch));
    }
    new OperatorIds(derived).writeTo(graph.getJobConfiguration());
    Map<Integer, byte[]> present = hashes(graph);
    if (!derived.keySet().stream()
        .allMatch(node -> Arrays.equals(derived.get(node), present.get(node)))) {
      throw new SubmissionRefused(
          "The ids of this job's sinks cannot be changed in this version of Flink, so its sinks would"
              + " harm the running job's; set "
              + SinkEpoch.FORK_SAFE.key()
              + " to false to start it all the same.");
    }
    Set<OperatorID> formerUserHashes = SavepointFork.userHashes(sinks);
    for (StreamNode sink : sinks) {
      // A hash that the user set names state by its former id, which is the running job's.
      sink.setUserHash(null);
      SinkNames.addEpoch(sink, epoch);
    }
    SavepointFork.permit(graph, configuration, sinks, original, present, formerUserHashes, epoch);
    LOG.info("Sink epoch {}: {} have state of their own.", epoch, names(sinks));
    if (!found.doubtful().isEmpty()) {
      LOG.warn(
          "The job ends in {}: if that writes anything, its state cannot be told from the other"
              + " operators', so it is restored from the savepoint.",
          names(found.doubtful()));
    }
  }

  /**
   * Flink 2.x makes the ids in the JobMaster: if that is in another process, it is out of reach.
   */
  private static void refuseWhereIdsAreMadeElsewhere(Configuration configuration) {
    String target = configuration.getOptional(DeploymentOptions.TARGET).orElse("");
    boolean session = target.equals("remote") || target.endsWith("-session");
    if (session && submitsStreamGraphs()) {
      throw new SubmissionRefused(
          SinkEpoch.EPOCH.key()
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

  private static Map<Integer, byte[]> hashes(StreamGraph graph) {
    return new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph);
  }

  private static String names(List<StreamNode> operators) {
    return operators.stream()
        .map(operator -> "\"" + operator.getOperatorName() + "\"")
        .collect(Collectors.joining(", "));
  }
}
