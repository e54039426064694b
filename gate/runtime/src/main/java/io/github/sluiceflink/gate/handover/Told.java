package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoOneOf;
import java.io.Serializable;
import java.util.Optional;

/** What a gate has been told by its coordinator: what the record means for its job. */
@AutoOneOf(Told.Role.class)
public abstract class Told implements Serializable {

  /** What a job is to the record. */
  public enum Role {
    /** Nothing is known yet: the gate has just started, or the record has not come to the job. */
    NOTHING,
    /** The job is the active one, and hands over if a handover is under way. */
    OUTGOING,
    /** The job takes over. */
    INCOMING,
    /** The record is about other jobs: this one was given up, or replaced. */
    STRANGER
  }

  Told() {}

  public static Told nothing() {
    return AutoOneOf_Told.nothing();
  }

  public static Told outgoing(Phase phase) {
    return AutoOneOf_Told.outgoing(phase);
  }

  public static Told incoming(Phase phase) {
    return AutoOneOf_Told.incoming(phase);
  }

  public static Told stranger() {
    return AutoOneOf_Told.stranger();
  }

  /** The role of the gate's job. */
  public abstract Role role();

  abstract void getNothing();

  abstract Phase getOutgoing();

  abstract Phase getIncoming();

  abstract void getStranger();

  /** Where the handover stands for the job; nothing for one that no record names. */
  public final Optional<Phase> phase() {
    switch (role()) {
      case OUTGOING:
        return Optional.of(getOutgoing());
      case INCOMING:
        return Optional.of(getIncoming());
      default:
        return Optional.empty();
    }
  }

  /** Whether the job writes all it gets, or keeps it: nothing is left to another. */
  final boolean leavesNothing() {
    if (role() != Role.OUTGOING) {
      return false;
    }
    Phase.Name phase = getOutgoing().name();
    return phase != Phase.Name.COMMIT && phase != Phase.Name.SEALED;
  }

  /** Whether this is PREPARE for the outgoing job, which every subtask has to answer. */
  final boolean asks() {
    return role() == Role.OUTGOING
        && getOutgoing().name() == Phase.Name.PREPARE
        && !getOutgoing().cut().isPresent();
  }
}
