package io.github.sluiceflink.gate.sinks;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.jobgraph.JobType;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.graph.StreamGraph;
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

  /** Takes back what an earlier job with this configuration was permitted. */
  public static void forget(StreamGraph graph, Configuration configuration) {
    SavepointFork.forbid(graph, configuration);
  }

  /**
   * Whether the sinks of a job have to be told from those of another sink epoch.
   *
   * @throws SubmissionRefused if the sink epoch of the configuration is none
   */
  public static boolean isWanted(StreamGraph graph, Configuration configuration) {
    if (SinkEpoch.of(configuration) == 0) {
      return false;
    }
    if (graph.getJobType() != JobType.STREAMING) {
      LOG.info("A batch job starts from no savepoint: {} is not needed.", SinkEpoch.EPOCH.key());
      return false;
    }
    return true;
  }

  /**
   * The ids of the sinks' operators in this job's sink epoch, by node of the graph.
   *
   * @param original the ids that Flink generates
   */
  public static Map<Integer, byte[]> ids(
      Configuration configuration, SinkOperators sinks, Map<Integer, byte[]> original) {
    Map<Integer, byte[]> derived = new TreeMap<>();
    for (StreamNode sink : sinks.operators()) {
      derived.put(
          sink.getId(),
          OperatorIds.derive(original.get(sink.getId()), SinkEpoch.of(configuration)));
    }
    return derived;
  }

  /**
   * Gives the sinks names of their own for what is outside of Flink, and leaves the state of an
   * earlier epoch behind.
   *
   * @param graph with all its operators
   * @param configuration with which it is submitted; may get the permission to leave state behind
   * @param original the ids that Flink generates, by node
   * @param present the ids that the operators are going to have, by node
   * @throws SubmissionRefused if the job must not be submitted
   */
  public static void separate(
      StreamGraph graph,
      Configuration configuration,
      SinkOperators found,
      Map<Integer, byte[]> original,
      Map<Integer, byte[]> present) {
    long epoch = SinkEpoch.of(configuration);
    List<StreamNode> sinks = found.operators();
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

  private static String names(List<StreamNode> operators) {
    return operators.stream()
        .map(operator -> "\"" + operator.getOperatorName() + "\"")
        .collect(Collectors.joining(", "));
  }
}
