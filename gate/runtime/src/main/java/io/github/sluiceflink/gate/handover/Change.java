package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import com.google.auto.value.AutoValue;

/** What a coordinator writes; {@link HandoverRecord#with} carries it out. */
@AutoOneOf(Change.Kind.class)
public abstract class Change {

  /** The kinds of changes. */
  public enum Kind {
    /** Its report; with a new attempt it is the fence against every earlier one. */
    REPORT,
    /** Its report, and H. In STANDBY only. */
    PUBLISH,
    /** W. In PREPARE only, and once. */
    CUT,
    /** ABORT. In PREPARE only. */
    ABORT
  }

  Change() {}

  public static Change report(Report report) {
    return AutoOneOf_Change.report(report);
  }

  public static Change publish(long highest, Report report) {
    return AutoOneOf_Change.publish(new AutoValue_Change_Publish(Times.eventTime(highest), report));
  }

  public static Change cut(long cut) {
    return AutoOneOf_Change.cut(cut);
  }

  public static Change abort(AbortReason reason) {
    return AutoOneOf_Change.abort(reason);
  }

  /** Which kind of change this is. */
  public abstract Kind kind();

  abstract Report getReport();

  abstract Publish getPublish();

  abstract long getCut();

  abstract AbortReason getAbort();

  /** H with the report that is written together with it. */
  @AutoValue
  abstract static class Publish {
    abstract long highest();

    abstract Report report();
  }
}
