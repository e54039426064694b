package io.github.sluiceflink.gate.handover;

/** Event times, cuts and watermarks, in milliseconds since 1970. */
public final class Times {

  /**
   * The event time of a record without a timestamp, lower than every timestamp. As a highest
   * timestamp: nothing with a timestamp was emitted.
   */
  public static final long NO_TIMESTAMP = Long.MIN_VALUE;

  /** No watermark has come yet. */
  public static final long NO_WATERMARK = Long.MIN_VALUE;

  /** The watermark at the end of the input. */
  public static final long END_OF_INPUT = Long.MAX_VALUE;

  private Times() {}

  /**
   * The event time of a record that Flink stamped with these milliseconds. The highest number, with
   * which Flink stamps results of global windows, is no timestamp.
   */
  public static long eventTime(long milliseconds) {
    return milliseconds == Long.MAX_VALUE ? NO_TIMESTAMP : milliseconds;
  }

  /** The lowest cut above everything up to this event time. */
  static long cutAbove(long highest) {
    return highest == Long.MAX_VALUE ? highest : highest + 1;
  }

  /** Whether every record below the cut that follows this watermark is late. */
  static boolean hasReached(long watermark, long cut) {
    return watermark >= cut || watermark == cut - 1;
  }

  /** How far an event time lies ahead of a watermark; the most that a long holds if it is more. */
  static long lead(long eventTime, long watermark) {
    long lead = eventTime - watermark;
    boolean overflown = ((eventTime ^ watermark) & (eventTime ^ lead)) < 0;
    if (overflown) {
      return eventTime < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
    return lead;
  }
}
