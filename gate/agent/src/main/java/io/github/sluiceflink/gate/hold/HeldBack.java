package io.github.sluiceflink.gate.hold;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.time.Duration;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds a job back until the handover record makes it the active one. */
public final class HeldBack {

  private static final Logger LOG = LoggerFactory.getLogger(HeldBack.class);

  /** How often the log says what is waited for. */
  private static final Duration REMINDER = Duration.ofMinutes(1);

  private HeldBack() {}

  /**
   * Waits if the job is configured with {@code bluegreen.handover.await-savepoint}, and then sets
   * the savepoint that the record names. A job that was told a savepoint by its configuration keeps
   * that one: its JobManager has started before, and continues from there.
   *
   * @param graph that is about to be submitted
   * @param configuration with which it is submitted
   * @throws SubmissionRefused if the job will never be the active one, or nothing says where it
   *     starts from
   */
  public static void await(StreamGraph graph, Configuration configuration) {
    if (!configuration.get(GateOptions.AWAIT_SAVEPOINT)) {
      return;
    }
    Job job;
    RecordPlace place;
    try {
      GateOptions options = GateOptions.from(configuration);
      job = options.job();
      place = options.recordPlace();
    } catch (IllegalArgumentException e) {
      throw new SubmissionRefused(
          GateOptions.AWAIT_SAVEPOINT.key()
              + " is set, but the job cannot wait for its turn: "
              + e.getMessage()
              + ".",
          e);
    }
    HandoverRecord handover = await(job, place);
    String own = configuration.get(StateRecoveryOptions.SAVEPOINT_PATH);
    if (own != null && !own.isEmpty()) {
      LOG.info("It is this job's turn. It starts from {}, which its configuration names.", own);
      return;
    }
    String savepoint =
        handover
            .savepoint()
            .orElseThrow(
                () ->
                    new SubmissionRefused(
                        "The handover record in "
                            + place
                            + " makes this job ("
                            + name(job)
                            + ") the active one but names no savepoint, and the job must not start without"
                            + " the state of the one before; put the path under \"savepoint\" into the"
                            + " record, or into "
                            + StateRecoveryOptions.SAVEPOINT_PATH.key()
                            + "."));
    LOG.info(
        "It is this job's turn. It starts from {}, which the handover record names.", savepoint);
    configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
    graph.setSavepointRestoreSettings(SavepointRestoreSettings.fromConfiguration(configuration));
  }

  private static HandoverRecord await(Job job, RecordPlace place) {
    Turn turn = new Turn(job);
    LOG.info(
        "This job ({}) waits, before it is submitted, until the handover record in {} makes it the"
            + " active one and names the savepoint that it starts from.",
        name(job),
        place);
    try (RecordStore store = place.open()) {
      store.watch(turn);
      while (true) {
        Optional<HandoverRecord> come = turn.await(REMINDER);
        if (turn.isRefused()) {
          throw new SubmissionRefused(
              "This job ("
                  + name(job)
                  + ") is not started: the handover record in "
                  + place
                  + " is about other jobs ("
                  + turn.seen()
                  + "), so it was given up or replaced.");
        }
        if (come.isPresent()) {
          return come.get();
        }
        LOG.info("This job ({}) still waits for its turn: {}.", name(job), turn.seen());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SubmissionRefused("The job was ended while it waited for its turn.", e);
    }
  }

  private static String name(Job job) {
    return job.color() + ", created for epoch " + job.createdFor();
  }
}
