package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import com.google.auto.value.AutoValue;
import java.io.Serializable;
import java.util.OptionalLong;

/** Where a handover stands, with the numbers that belong to it. */
@AutoOneOf(Phase.Name.class)
public abstract class Phase implements Serializable {

  /** The names in the record, in their order. */
  public enum Name {
    /** No handover is under way: the active job emits everything. */
    STABLE,
    /** The incoming job comes up and catches up; its gates are closed. */
    STANDBY,
    /** The outgoing job agrees with itself on the cut. */
    PREPARE,
    /** The point of no return is passed. */
    COMMIT,
    /** The outgoing job has emitted everything below the cut, and its output is committed. */
    SEALED,
    /** The handover was given up before the point of no return. */
    ABORT
  }

  Phase() {}

  public static Phase stable() {
    return AutoOneOf_Phase.stable();
  }

  /**
   * @param highest H: the highest timestamp that the outgoing job has emitted, as far as published
   */
  public static Phase standby(long highest) {
    return AutoOneOf_Phase.standby(highest);
  }

  /** PREPARE before the cut is written, with H as it was when STANDBY ended. */
  public static Phase prepare(long highest) {
    return AutoOneOf_Phase.prepare(new AutoValue_Phase_Prepare(highest, false, 0));
  }

  /** PREPARE with the cut W. */
  public static Phase prepare(long highest, long cut) {
    return AutoOneOf_Phase.prepare(new AutoValue_Phase_Prepare(highest, true, cut));
  }

  public static Phase commit(long cut) {
    return AutoOneOf_Phase.commit(cut);
  }

  public static Phase sealed(long cut) {
    return AutoOneOf_Phase.sealed(cut);
  }

  public static Phase abort() {
    return AutoOneOf_Phase.abort();
  }

  /** Its name. */
  public abstract Name name();

  abstract void getStable();

  abstract long getStandby();

  abstract Prepare getPrepare();

  abstract long getCommit();

  abstract long getSealed();

  abstract void getAbort();

  /** H, while it matters; otherwise {@link Times#NO_TIMESTAMP}. */
  public final long highest() {
    switch (name()) {
      case STANDBY:
        return getStandby();
      case PREPARE:
        return getPrepare().highest();
      default:
        return Times.NO_TIMESTAMP;
    }
  }

  /** W, once it is written. */
  public final OptionalLong cut() {
    switch (name()) {
      case PREPARE:
        return getPrepare().hasCut() ? OptionalLong.of(getPrepare().cut()) : OptionalLong.empty();
      case COMMIT:
        return OptionalLong.of(getCommit());
      case SEALED:
        return OptionalLong.of(getSealed());
      default:
        return OptionalLong.empty();
    }
  }

  /**
   * Whether this phase may follow in the same epoch. H never goes down, the cut never changes,
   * COMMIT never goes back.
   */
  final boolean mayBecome(Phase next) {
    return equals(next) || leadsTo(next);
  }

  private boolean leadsTo(Phase next) {
    switch (next.name()) {
      case STABLE:
        return name() == Name.SEALED || name() == Name.ABORT;
      case STANDBY:
        return name() == Name.STABLE || (name() == Name.STANDBY && highest() <= next.highest());
      case PREPARE:
        return next.cut().isPresent() ? isCutBy(next) : isEndedBy(next);
      case COMMIT:
        return name() == Name.PREPARE && cut().equals(next.cut());
      case SEALED:
        return name() == Name.COMMIT && cut().equals(next.cut());
      case ABORT:
        return name() == Name.STANDBY || name() == Name.PREPARE;
      default:
        throw new AssertionError(next);
    }
  }

  /** PREPARE takes over the H of STANDBY. */
  private boolean isEndedBy(Phase prepare) {
    return name() == Name.STANDBY && highest() == prepare.highest();
  }

  /** The cut is written once, and above H. */
  private boolean isCutBy(Phase prepare) {
    return name() == Name.PREPARE
        && !cut().isPresent()
        && highest() == prepare.highest()
        && highest() < prepare.cut().getAsLong();
  }

  /** The numbers of PREPARE. No OptionalLong, because that cannot be serialized. */
  @AutoValue
  abstract static class Prepare implements Serializable {
    abstract long highest();

    abstract boolean hasCut();

    /** 0 without a cut. */
    abstract long cut();
  }
}
