package io.github.sluiceflink.gate.sinks;

/** The job must not be submitted as it is. The message is one sentence for the user. */
public final class SubmissionRefused extends RuntimeException {

  public SubmissionRefused(String message) {
    super(message);
  }

  public SubmissionRefused(String message, Throwable cause) {
    super(message, cause);
  }
}
