package io.github.sluiceflink.gate.sinks;

/** The job must not be submitted as it is. The message is one sentence for the user. */
public final class SubmissionRefused extends RuntimeException {

  /**
   * Refuses it.
   *
   * @param message what was found, where, and what to do
   */
  public SubmissionRefused(String message) {
    super(message);
  }

  /**
   * Refuses it because of a failure.
   *
   * @param message what was found, where, and what to do
   */
  public SubmissionRefused(String message, Throwable cause) {
    super(message, cause);
  }
}
