package io.github.sluiceflink.gate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;

/** A job that was submitted, in a small Flink cluster of its own. */
final class RunningJob {

  private static final long PATIENCE = 90;

  private final CountingJob job;
  private final JobClient client;

  RunningJob(CountingJob job, JobClient client) {
    this.job = job;
    this.client = client;
  }

  /** Waits until so many more records have reached its sinks. */
  void awaitRecords(long more) throws Exception {
    long enough = Pace.allProcessed(job.pace()) + more;
    Instant deadline = Instant.now().plus(Duration.ofSeconds(PATIENCE));
    while (Pace.allProcessed(job.pace()) < enough) {
      if (Instant.now().isAfter(deadline) || status().isTerminalState()) {
        throw new AssertionError(job.name() + " processes no more; it is " + status());
      }
      Thread.sleep(20);
    }
  }

  JobStatus status() throws Exception {
    return client.getJobStatus().get(PATIENCE, TimeUnit.SECONDS);
  }

  /** A savepoint in passing: the job goes on. */
  String savepoint(Path directory) throws Exception {
    return client
        .triggerSavepoint(directory.toUri().toString(), SavepointFormatType.CANONICAL)
        .get(PATIENCE, TimeUnit.SECONDS);
  }

  String stopWithSavepoint(Path directory) throws Exception {
    String savepoint =
        client
            .stopWithSavepoint(false, directory.toUri().toString(), SavepointFormatType.CANONICAL)
            .get(PATIENCE, TimeUnit.SECONDS);
    finish();
    return savepoint;
  }

  /** Lets it come to the end of its numbers. */
  void finish() throws Exception {
    Pace.hurry(job.pace());
    client.getJobExecutionResult().get(PATIENCE, TimeUnit.SECONDS);
  }

  void cancel() throws Exception {
    client.cancel().get(PATIENCE, TimeUnit.SECONDS);
  }
}
