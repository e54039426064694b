package io.github.sluiceflink.gate.record;

import java.util.concurrent.ThreadLocalRandom;

/**
 * The pauses between attempts that fail one after the other: each twice the one before, up to 30
 * seconds, and a random part of that, so that many jobs do not come back at once.
 */
final class Pause {

  static final long LONGEST_MS = 30_000;
  private static final long FIRST_MS = 250;

  private int failures;

  /** How long to pause after one more failure, in milliseconds. */
  long next() {
    long whole = Math.min(FIRST_MS << Math.min(failures, 20), LONGEST_MS);
    failures++;
    return ThreadLocalRandom.current().nextLong(whole / 2, whole + 1);
  }

  void reset() {
    failures = 0;
  }
}
