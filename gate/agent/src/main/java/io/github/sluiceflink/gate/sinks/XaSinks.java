package io.github.sluiceflink.gate.sinks;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptionsInternal;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sinks that write in XA transactions: the exactly-once ones of Flink's JDBC connector. They name a
 * transaction by the id of the job, its subtask and a checkpoint. No user gives these names, so the
 * sink epoch cannot be put into them; two jobs are told apart by their ids alone.
 */
public final class XaSinks {

  private static final Logger LOG = LoggerFactory.getLogger(XaSinks.class);

  private static final String FUNCTION = "org.apache.flink.connector.jdbc.xa.JdbcXaSinkFunction";
  private static final List<String> SINK =
      List.of(
          "org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink",
          "org.apache.flink.connector.jdbc.sink.JdbcSink");

  private XaSinks() {}

  /** Says which sinks of a job are not what their users asked for. */
  public static void warn(SinkOperators sinks) {
    String early =
        sinks.operators().stream()
            .filter(node -> SinkObjects.of(node).stream().anyMatch(XaSinks::commitsTooEarly))
            .map(node -> "\"" + node.getOperatorName() + "\"")
            .collect(Collectors.joining(", "));
    if (!early.isEmpty()) {
      LOG.warn(
          "The job writes to a database with an exactly-once JdbcSink ({}). In releases of Flink's JDBC"
              + " connector up to 4.0.0-2.0 it commits a transaction before its checkpoint is complete:"
              + " after a failure of the job records may be written twice, whatever is guaranteed"
              + " otherwise.",
          early);
    }
  }

  /**
   * Refuses a job that would take the transactions of another one for its own.
   *
   * @param node of a sink of any kind
   * @param left what the savepoint holds of this operator in an earlier epoch
   * @param savepoint that the job starts from
   * @param job its configuration
   * @throws SubmissionRefused if both jobs name their transactions alike
   */
  static void refuseNamesOfAnother(
      StreamNode node, OperatorState left, String savepoint, Configuration job) {
    String id = job.get(PipelineOptionsInternal.PIPELINE_FIXED_JOB_ID);
    // An id that is drawn for this submission is nobody else's.
    if (id == null || SinkObjects.of(node).stream().noneMatch(XaSinks::isExactlyOnce)) {
      return;
    }
    if (names(left, JobID.fromHexString(id).getBytes())) {
      throw new SubmissionRefused(
          "The sink \""
              + node.getOperatorName()
              + "\" names its transactions by the id of the job, and the savepoint "
              + savepoint
              + " is of a job with the same id, "
              + id
              + ", so that each of the two would commit or roll back what the other one has written; give"
              + " this job an id of its own.");
    }
  }

  private static boolean isExactlyOnce(Object sink) {
    return SinkNames.isA(sink, FUNCTION) || commitsTooEarly(sink);
  }

  private static boolean commitsTooEarly(Object sink) {
    if (SINK.stream().noneMatch(name -> SinkNames.isA(sink, name))) {
      return false;
    }
    try {
      return SinkNames.isExactlyOnce(sink);
    } catch (ReflectiveOperationException | RuntimeException e) {
      // Of a release that is not known: rather one sentence too many.
      return true;
    }
  }

  /** Whether the id of a job is in the state of a sink, as it is in its transactions' names. */
  private static boolean names(OperatorState sink, byte[] id) {
    for (OperatorSubtaskState subtask : sink.getStates()) {
      for (OperatorStateHandle state : subtask.getManagedOperatorState()) {
        try (InputStream in = state.openInputStream()) {
          if (contains(in.readAllBytes(), id)) {
            return true;
          }
        } catch (IOException | RuntimeException e) {
          LOG.warn(
              "The state of a sink cannot be read, so it is not known whether its job had the id of"
                  + " this one: {}",
              e.toString());
        }
      }
    }
    return false;
  }

  static boolean contains(byte[] bytes, byte[] part) {
    for (int at = 0; at + part.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
        return true;
      }
    }
    return false;
  }
}
