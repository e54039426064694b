package io.github.sluiceflink.gate.record;

import java.io.IOException;

/** The record could not be reached. The message is one sentence for the user. */
final class OutageException extends IOException {

  private final long pauseMs;

  OutageException(String sentence, Throwable cause) {
    this(sentence, 0, cause);
  }

  OutageException(String sentence, long pauseMs, Throwable cause) {
    super(sentence, cause);
    this.pauseMs = pauseMs;
  }

  /** How long whoever was asked wants to be left alone, in milliseconds. */
  long pauseMs() {
    return pauseMs;
  }
}
