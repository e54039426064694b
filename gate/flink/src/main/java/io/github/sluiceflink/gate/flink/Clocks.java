package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import java.time.Duration;

/**
 * Whether timestamps and watermarks are of one clock. Seconds beside milliseconds, or a field of
 * another meaning, would cut where nobody wants it.
 */
final class Clocks {

  /** Below this watermark, in milliseconds since 1970, numbers say nothing of their unit. */
  private static final long SHORTEST = Duration.ofDays(1).toMillis();

  /** Two units of time differ by a thousand; a late record is by far not that late. */
  private static final long UNIT = 100;

  private Clocks() {}

  /**
   * Whether a record cannot be on the clock of the watermark that it followed.
   *
   * @param maxLead how far a timestamp may lie ahead of the watermark, in milliseconds
   */
  static boolean differ(long timestamp, long watermark, long maxLead) {
    if (timestamp == Times.NO_TIMESTAMP
        || watermark == Times.NO_WATERMARK
        || watermark == Times.END_OF_INPUT) {
      return false;
    }
    boolean ahead = timestamp > watermark && timestamp - watermark > maxLead;
    // The difference of numbers with different signs may be too large for a long.
    boolean overflown = timestamp > watermark && timestamp - watermark < 0;
    boolean behind = watermark >= SHORTEST && timestamp < watermark / UNIT;
    return ahead || overflown || behind;
  }
}
