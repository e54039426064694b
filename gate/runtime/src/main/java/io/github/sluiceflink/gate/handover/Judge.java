package io.github.sluiceflink.gate.handover;

/**
 * What a gate does with one record: the whole rule.
 *
 * <p>It depends on nothing but what the gate was told, its rules, the highest timestamp that it has
 * emitted, the record's timestamp and the gate's watermark when the record came. So it gives the
 * same answer whenever it is asked again: after a restart, and for records that were kept.
 */
public final class Judge {

  private Judge() {}

  /**
   * What to do with a record. A record without a timestamp is judged as lower than every timestamp.
   *
   * @param cell what was told, as {@link Cell#of} has it
   * @param bound the number that goes with it, as {@link Cell#bound} has it
   * @param emitted the highest timestamp that this gate has emitted
   * @param arrival the gate's watermark when the record came
   * @param timestamp the record's event time, as {@link Times#eventTime} has it
   */
  public static Verdict judge(Cell cell, long bound, long emitted, long arrival, long timestamp) {
    // By far the most records come while no handover is under way.
    if (cell == Cell.PASS) {
      return Verdict.EMIT;
    }
    switch (cell) {
      case HOLD:
        return Verdict.KEEP;
      case ANSWERED:
        // What is not above the answer cannot be above the cut.
        return timestamp <= emitted ? Verdict.EMIT : Verdict.KEEP;
      case CUT:
        return timestamp < bound ? Verdict.EMIT : Verdict.KEEP;
      case DRAINING:
        return timestamp < bound ? Verdict.EMIT : Verdict.DROP;
      case WAITING:
        // A record that came later than H is late, and the outgoing job may never see it.
        return timestamp <= bound && arrival < bound ? Verdict.DROP : Verdict.KEEP;
      case TAKING_OVER:
        return isMine(bound, arrival, timestamp) ? Verdict.EMIT : Verdict.DROP;
      case TAKING_OVER_IN_TIME:
        return timestamp >= bound ? Verdict.EMIT : Verdict.DROP;
      case TAKING_TURNS:
        return isMine(bound, arrival, timestamp) ? Verdict.KEEP : Verdict.DROP;
      case TAKING_TURNS_IN_TIME:
        return timestamp >= bound ? Verdict.KEEP : Verdict.DROP;
      default:
        return Verdict.DROP;
    }
  }

  /** Whether a record is above the cut, or late. */
  private static boolean isMine(long cut, long arrival, long timestamp) {
    return timestamp >= cut || Times.hasReached(arrival, cut);
  }
}
