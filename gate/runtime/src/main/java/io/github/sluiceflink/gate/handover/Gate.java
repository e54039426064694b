package io.github.sluiceflink.gate.handover;

import java.util.Optional;

/**
 * A subtask of a gate: what it keeps, and what it does when something comes. For one thread.
 *
 * @param <R> a record, with everything that the sink is to get
 */
public final class Gate<R> {

  private final Rules rules;
  private final GateOutput<R> output;
  private final KeptRecords<R> kept;
  private long emitted;
  private long dropped;
  private long watermark;

  /** What it was told last; null since it started. */
  private Orders orders;

  private Cell cell;
  private long bound;

  private Gate(Rules rules, GateState<?> marks, KeptRecords<R> kept, GateOutput<R> output) {
    this.rules = rules;
    this.output = output;
    this.kept = kept;
    this.emitted = marks.emitted();
    this.dropped = marks.dropped();
    this.watermark = marks.watermark();
    follow(Told.nothing());
  }

  /** A subtask that starts, from what it restores. It holds everything until it is told. */
  public static <R> Gate<R> start(Rules rules, GateState<R> state, GateOutput<R> output) {
    return start(rules, state, new KeptObjects<>(state.kept(), output), output);
  }

  /**
   * The same with a place of its own for what is kept.
   *
   * @param marks the timestamps and the watermark of what it restores
   * @param kept the records that it restores, and those that it will keep
   */
  public static <R> Gate<R> start(
      Rules rules, GateState<?> marks, KeptRecords<R> kept, GateOutput<R> output) {
    return new Gate<>(rules, marks, kept, output);
  }

  /** A subtask in the midst of its life, which was told this when it had come to this state. */
  static <R> Gate<R> resume(Rules rules, Orders orders, GateState<R> state, GateOutput<R> output) {
    Gate<R> gate = start(rules, state, output);
    gate.orders = orders;
    gate.follow(orders.told());
    return gate;
  }

  /**
   * A record came.
   *
   * @param timestamp its event time; {@link Times#NO_TIMESTAMP} if it has none
   */
  public void onRecord(R record, long timestamp) {
    long eventTime = Times.eventTime(timestamp);
    Verdict verdict = Judge.judge(cell, bound, emitted, watermark, eventTime);
    if (verdict == Verdict.KEEP) {
      kept.add(record, eventTime, watermark);
      return;
    }
    note(verdict, eventTime);
    if (verdict == Verdict.EMIT) {
      output.emit(record);
    } else {
      output.drop(record);
    }
  }

  /** A watermark came; {@link Times#END_OF_INPUT} at the end of the input. */
  public void onWatermark(long watermark) {
    this.watermark = Math.max(this.watermark, watermark);
  }

  /** The coordinator tells the phase. What is older than what it told before has no effect. */
  public void onTold(Orders orders) {
    if (this.orders != null && orders.isOlderThan(this.orders)) {
      return;
    }
    boolean isNew = !orders.equals(this.orders);
    this.orders = orders;
    if (orders.told().leavesNothing()) {
      // What it left to another job before was written in an earlier epoch.
      dropped = Times.NO_TIMESTAMP;
    }
    follow(orders.told());
    kept.settle(this::judgeKept);
    if (isNew && orders.told().asks()) {
      output.answer(orders.attempt(), Answer.of(orders.epoch(), emitted, watermark));
    }
  }

  /**
   * The barrier of a checkpoint came. The {@link #state} as it is now becomes part of it. A subtask
   * that has not been told its attempt says nothing, because that could not be attributed.
   */
  public void onBarrier(long checkpoint) {
    if (orders == null) {
      return;
    }
    output.atBarrier(AtBarrier.of(orders.attempt(), checkpoint, watermark, kept.lowest()));
  }

  /** What its next checkpoint holds. */
  public GateState<R> state() {
    return GateState.of(kept.all(), emitted, dropped, watermark);
  }

  /** What it was told last; nothing since it started. */
  public Optional<Orders> orders() {
    return Optional.ofNullable(orders);
  }

  /** The highest timestamp that it has emitted. */
  public long emitted() {
    return emitted;
  }

  /** The highest timestamp that it has dropped since its job was the active one. */
  public long dropped() {
    return dropped;
  }

  /** The highest watermark that came. */
  public long watermark() {
    return watermark;
  }

  private void follow(Told told) {
    cell = Cell.of(rules, told);
    bound = Cell.bound(told);
  }

  private Verdict judgeKept(long eventTime, long arrival) {
    Verdict verdict = Judge.judge(cell, bound, emitted, arrival, eventTime);
    note(verdict, eventTime);
    return verdict;
  }

  private void note(Verdict verdict, long eventTime) {
    if (verdict == Verdict.EMIT) {
      emitted = Math.max(emitted, eventTime);
    } else if (verdict == Verdict.DROP) {
      dropped = Math.max(dropped, eventTime);
    }
  }
}
