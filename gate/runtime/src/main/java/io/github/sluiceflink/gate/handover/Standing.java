package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import com.google.auto.value.AutoValue;
import java.util.OptionalLong;

/** What a coordinator is entitled to. */
@AutoOneOf(Standing.Kind.class)
public abstract class Standing {

  /** The kinds of standing. */
  public enum Kind {
    /** Its tasks have started, and the record does not name this attempt yet. It tells nothing. */
    STARTING,
    /** The record names its attempt. */
    HOLDS,
    /** The record names a later attempt, which is another's. It writes and tells nothing more. */
    DEPOSED
  }

  Standing() {}

  static Standing starting(OptionalLong restored, OptionalLong held, OptionalLong asked) {
    return AutoOneOf_Standing.starting(new AutoValue_Standing_Starting(restored, held, asked));
  }

  static Standing holds(long attempt) {
    return AutoOneOf_Standing.holds(attempt);
  }

  static Standing deposed() {
    return AutoOneOf_Standing.deposed();
  }

  /** Which kind of standing this is. */
  public abstract Kind kind();

  abstract Starting getStarting();

  abstract long getHolds();

  abstract void getDeposed();

  /** The attempt that it holds. */
  public final OptionalLong attempt() {
    return kind() == Kind.HOLDS ? OptionalLong.of(getHolds()) : OptionalLong.empty();
  }

  /** A coordinator whose attempt is not in the record yet. */
  @AutoValue
  abstract static class Starting {

    /** The checkpoint that was restored; none if the job started from nothing. */
    abstract OptionalLong restored();

    /** The attempt that it held before. A larger one in the record is somebody else's. */
    abstract OptionalLong held();

    /** The attempt that it has asked for. */
    abstract OptionalLong asked();
  }
}
