package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import com.google.auto.value.AutoValue;
import java.util.Optional;

/** What a coordinator does. */
@AutoOneOf(Action.Kind.class)
public abstract class Action {

  /** The kinds of actions. */
  public enum Kind {
    /** It writes to the record. */
    WRITE,
    /** It tells the phase. */
    TELL
  }

  Action() {}

  static Action write(long expected, Change change) {
    return AutoOneOf_Action.write(new AutoValue_Action_Write(expected, change));
  }

  static Action tellAll(Orders orders) {
    return AutoOneOf_Action.tell(new AutoValue_Action_Tell(Optional.empty(), orders));
  }

  static Action tell(Subtask subtask, Orders orders) {
    return AutoOneOf_Action.tell(new AutoValue_Action_Tell(Optional.of(subtask), orders));
  }

  /** Which kind of action this is. */
  public abstract Kind kind();

  /** What is written, of that kind of action. */
  public abstract Write getWrite();

  /** What is told, of that kind of action. */
  public abstract Tell getTell();

  /** A write, on the condition that the record is still the version that was read. */
  @AutoValue
  public abstract static class Write {

    Write() {}

    /** The version that was read. */
    public abstract long expected();

    /** What is written. */
    public abstract Change change();
  }

  /** Something that subtasks are told. */
  @AutoValue
  public abstract static class Tell {

    Tell() {}

    /** The one that is told; all of them if empty. */
    public abstract Optional<Subtask> subtask();

    /** What they are told. */
    public abstract Orders orders();
  }
}
