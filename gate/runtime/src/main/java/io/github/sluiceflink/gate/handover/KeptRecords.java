package io.github.sluiceflink.gate.handover;

import java.util.List;

/**
 * The records that a subtask of a gate keeps, in the order in which they came. For one thread.
 *
 * @param <R> a record, with everything that the sink is to get
 */
public interface KeptRecords<R> {

  /**
   * Keeps a record, behind all others. A runtime that uses the objects of records again has to copy
   * it.
   *
   * @param timestamp its event time, as {@link Times#eventTime} has it
   * @param arrival the gate's watermark when it came
   */
  void add(R record, long timestamp, long arrival);

  /**
   * Judges each anew, in the order, and does with it what the verdict says before it judges the
   * next.
   */
  void settle(Judging judging);

  /** The lowest timestamp; {@link AtBarrier#NOTHING_KEPT} if nothing is kept. */
  long lowest();

  /** A copy of all of them. */
  List<Kept<R>> all();

  /** What becomes of a record that is kept. */
  interface Judging {
    /** The verdict on a record with this timestamp, which came at this watermark. */
    Verdict judge(long timestamp, long arrival);
  }
}
