package io.github.sluiceflink.gate.sinks;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.util.StringUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a job may leave behind of the savepoint that it starts from: what its own sinks had in an
 * earlier sink epoch, and nothing else. Flink knows only one switch for all state, so it is turned
 * on after the savepoint's metadata has shown that nothing else is concerned.
 */
final class SavepointFork {

  private static final Logger LOG = LoggerFactory.getLogger(SavepointFork.class);

  /**
   * Set beside Flink's switch when it was the agent that turned it on: the configuration is the
   * environment's, and the next job from the same main method must not inherit the permission.
   */
  private static final ConfigOption<Boolean> TURNED_ON =
      ConfigOptions.key("bluegreen.internal.ignores-unclaimed-sink-state")
          .booleanType()
          .noDefaultValue();

  private SavepointFork() {}

  /** Takes back what was permitted to an earlier job with this configuration. */
  static void forbid(StreamGraph graph, Configuration configuration) {
    if (configuration.getOptional(TURNED_ON).isPresent()) {
      configuration.removeConfig(TURNED_ON);
      configuration.removeConfig(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE);
      graph.setSavepointRestoreSettings(SavepointRestoreSettings.fromConfiguration(configuration));
    }
  }

  /**
   * Permits the restore to leave the sinks' earlier state behind if that is all it leaves.
   *
   * @param sinks operators of the sinks
   * @param original the ids that Flink generates, by node
   * @param present the ids that the operators are going to have, by node
   * @param formerUserHashes what users had set beside the ids of the sinks
   * @param epoch the job's
   * @throws SubmissionRefused if state of the user's would be dropped without his wish
   */
  static void permit(
      StreamGraph graph,
      Configuration configuration,
      List<StreamNode> sinks,
      Map<Integer, byte[]> original,
      Map<Integer, byte[]> present,
      Set<OperatorID> formerUserHashes,
      long epoch) {
    String savepoint = configuration.get(StateRecoveryOptions.SAVEPOINT_PATH);
    if (savepoint == null
        || savepoint.isEmpty()
        || configuration.get(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE)) {
      return;
    }
    Map<OperatorID, OperatorState> unclaimed;
    try {
      unclaimed = withState(savepoint);
    } catch (IOException | RuntimeException e) {
      // Flink reads it, too, unless high availability has something newer, and says what is wrong.
      LOG.warn(
          "The savepoint {} cannot be read here, so state of sinks may not be left behind: {}",
          savepoint,
          e.toString());
      return;
    }
    present.values().forEach(id -> unclaimed.remove(new OperatorID(id)));
    unclaimed.keySet().removeAll(userHashes(graph.getStreamNodes()));
    if (unclaimed.isEmpty()) {
      return;
    }
    List<OperatorID> users =
        unclaimed.keySet().stream()
            .filter(id -> !formerUserHashes.contains(id))
            .filter(
                id -> sinks.stream().noneMatch(sink -> was(original.get(sink.getId()), id, epoch)))
            .collect(Collectors.toList());
    if (!users.isEmpty()) {
      throw new SubmissionRefused(refusal(savepoint, users));
    }
    for (StreamNode sink : sinks) {
      byte[] id = original.get(sink.getId());
      unclaimed.forEach(
          (former, state) -> {
            if (was(id, former, epoch)) {
              XaSinks.refuseNamesOfAnother(sink, state, savepoint, configuration);
            }
          });
    }
    LOG.info(
        "Leaving the state of the sinks in {} to the job that it was taken of: {}.",
        savepoint,
        unclaimed.keySet());
    configuration.set(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE, true);
    configuration.set(TURNED_ON, true);
    graph.setSavepointRestoreSettings(SavepointRestoreSettings.fromConfiguration(configuration));
  }

  /** The ids that users gave to operators by their hash, beside those that Flink generates. */
  static Set<OperatorID> userHashes(Collection<StreamNode> operators) {
    return operators.stream()
        .map(StreamNode::getUserHash)
        .filter(Objects::nonNull)
        .map(hash -> new OperatorID(StringUtils.hexStringToByte(hash)))
        .collect(Collectors.toSet());
  }

  private static boolean was(byte[] original, OperatorID id, long epoch) {
    OptionalLong earlier = OperatorIds.epochOf(original, id.getBytes());
    return earlier.isPresent() && earlier.getAsLong() < epoch;
  }

  /** The operators that Flink would miss in a job: it lets those without state go by itself. */
  private static Map<OperatorID, OperatorState> withState(String savepoint) throws IOException {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    try (DataInputStream in =
        new DataInputStream(
            AbstractFsCheckpointStorageAccess.resolveCheckpointPointer(savepoint)
                .getMetadataHandle()
                .openInputStream())) {
      return Checkpoints.loadCheckpointMetadata(in, loader, savepoint).getOperatorStates().stream()
          .filter(
              state ->
                  state.getCoordinatorState() != null
                      || state.getStates().stream().anyMatch(OperatorSubtaskState::hasState))
          .collect(
              Collectors.toMap(
                  OperatorState::getOperatorID, Function.identity(), (a, b) -> a, TreeMap::new));
    }
  }

  private static String refusal(String savepoint, Collection<OperatorID> operators) {
    String ids = operators.stream().map(OperatorID::toString).collect(Collectors.joining(", "));
    return "The savepoint "
        + savepoint
        + " holds state of operators that this job does not have ("
        + ids
        + "), and it is not the state of its sinks; give these operators the uid that they had, or set "
        + StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE.key()
        + " to true to drop their state.";
  }
}
