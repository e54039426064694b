package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import com.google.auto.value.AutoValue;
import java.util.Optional;
import java.util.OptionalLong;

/** Why a handover was given up. */
@AutoOneOf(AbortReason.Kind.class)
public abstract class AbortReason {

  /** The kinds of reasons. */
  public enum Kind {
    /** The outgoing job kept records back for longer than {@code bluegreen.gate.hold-timeout}. */
    HOLD_TIMEOUT,
    /**
     * The cut would lie further ahead of the watermark than {@code bluegreen.gate.max-cut-lead}.
     */
    CUT_TOO_FAR,
    /**
     * The outgoing job has emitted records with timestamps, and no gate has seen a watermark: it
     * would never drain.
     */
    NO_WATERMARK,
    /** No input of the outgoing job moves: strategy SAVEPOINT takes over. */
    IDLE,
    /** The outgoing job has restarted from a checkpoint older than the fork. */
    BEHIND_FORK,
    /** The outgoing job is lost for good. */
    OUTGOING_LOST,
    /** The operator gave it up. */
    OPERATOR
  }

  AbortReason() {}

  public static AbortReason holdTimeout() {
    return AutoOneOf_AbortReason.holdTimeout();
  }

  public static AbortReason cutTooFar(Optional<Subtask> subtask, long highest, long watermark) {
    return AutoOneOf_AbortReason.cutTooFar(
        new AutoValue_AbortReason_CutTooFar(subtask, Times.eventTime(highest), watermark));
  }

  public static AbortReason noWatermark() {
    return AutoOneOf_AbortReason.noWatermark();
  }

  public static AbortReason idle() {
    return AutoOneOf_AbortReason.idle();
  }

  /**
   * @param attempt the attempt that did; empty if it is not known
   */
  public static AbortReason behindFork(OptionalLong attempt) {
    return AutoOneOf_AbortReason.behindFork(attempt);
  }

  public static AbortReason outgoingLost() {
    return AutoOneOf_AbortReason.outgoingLost();
  }

  /**
   * @param why in a sentence
   */
  public static AbortReason operator(String why) {
    return AutoOneOf_AbortReason.operator(why);
  }

  /** Which kind of reason this is. */
  public abstract Kind kind();

  abstract void getHoldTimeout();

  /** The cut that was refused, of that kind of reason. */
  public abstract CutTooFar getCutTooFar();

  abstract void getNoWatermark();

  abstract void getIdle();

  abstract OptionalLong getBehindFork();

  abstract void getOutgoingLost();

  /** The operator's sentence, of that kind of reason. */
  public abstract String getOperator();

  /** A cut that would lie too far ahead of the watermark. */
  @AutoValue
  public abstract static class CutTooFar {

    CutTooFar() {}

    /** The subtask that emitted the highest timestamp; none if that was in an earlier attempt. */
    public abstract Optional<Subtask> subtask();

    /** That timestamp. */
    public abstract long highest();

    /** The watermark of the outgoing job's gates. */
    public abstract long watermark();
  }
}
