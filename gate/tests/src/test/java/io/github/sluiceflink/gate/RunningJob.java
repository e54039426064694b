package io.github.sluiceflink.gate;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;

/** A job that was submitted, in a small Flink cluster of its own. */
final class RunningJob {

  private static final long PATIENCE = 90;

  private final CountingJob job;
  private final JobClient client;
  private final CompletableFuture<JobExecutionResult> result;

  RunningJob(CountingJob job, JobClient client) {
    this.job = job;
    this.client = client;
    result = client.getJobExecutionResult();
  }

  /** Waits until so many more records have reached its sinks. */
  void awaitRecords(long more) throws Exception {
    long enough = Pace.allProcessed(job.pace()) + more;
    Instant deadline = Instant.now().plus(Duration.ofSeconds(PATIENCE));
    while (Pace.allProcessed(job.pace()) < enough) {
      if (Instant.now().isAfter(deadline) || result.isDone()) {
        throw new AssertionError(job.name() + " processes no more: " + result);
      }
      Thread.sleep(20);
    }
  }

  /** A savepoint in passing: the job goes on. */
  String savepoint(Path directory) throws Exception {
    return client
        .triggerSavepoint(directory.toUri().toString(), SavepointFormatType.CANONICAL)
        .get(PATIENCE, TimeUnit.SECONDS);
  }

  String stopWithSavepoint(Path directory) throws Exception {
    return stop(false, directory);
  }

  /** As if there were no more input: what is open is finished. */
  void drain(Path directory) throws Exception {
    stop(true, directory);
  }

  private String stop(boolean drain, Path directory) throws Exception {
    String savepoint =
        client
            .stopWithSavepoint(drain, directory.toUri().toString(), SavepointFormatType.CANONICAL)
            .get(PATIENCE, TimeUnit.SECONDS);
    result.get(PATIENCE, TimeUnit.SECONDS);
    return savepoint;
  }

  /** Lets it read the rest of its numbers as fast as it can. */
  void hurry() {
    Pace.hurry(job.pace());
  }

  /** Lets it come to the end of its numbers. */
  void finish() throws Exception {
    hurry();
    result.get(PATIENCE, TimeUnit.SECONDS);
  }

  /** Waits until it has failed, or until this is so. */
  void awaitFailure(BooleanSupplier orElse) throws Exception {
    Instant deadline = Instant.now().plus(Duration.ofSeconds(PATIENCE));
    while (!result.isCompletedExceptionally() && !orElse.getAsBoolean()) {
      if (Instant.now().isAfter(deadline) || result.isDone()) {
        throw new AssertionError(job.name() + " has not failed: " + result);
      }
      Thread.sleep(20);
    }
  }

  /** Waits until it has failed, and says why: all messages, from the outermost to the cause. */
  String failure() throws Exception {
    awaitFailure(() -> false);
    try {
      result.get();
      throw new AssertionError(job.name() + " has not failed");
    } catch (ExecutionException e) {
      return messages(e);
    }
  }

  static String messages(Throwable failure) {
    StringBuilder messages = new StringBuilder();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      messages.append(cause.getMessage()).append('\n');
    }
    return messages.toString();
  }

  /** Lets one of its tasks fail, and waits until it has gone on from its last checkpoint. */
  void crash() throws Exception {
    Pace.crash(job.pace());
    while (Pace.crashes(job.pace())) {
      Thread.sleep(20);
    }
    awaitRecords(1);
  }

  /** Ends it if it has not ended. */
  void endQuietly() throws Exception {
    if (!result.isDone()) {
      client.cancel().exceptionally(it -> null).get(PATIENCE, TimeUnit.SECONDS);
    }
  }

  void cancel() throws Exception {
    client.cancel().get(PATIENCE, TimeUnit.SECONDS);
  }
}
