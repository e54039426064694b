package io.github.sluiceflink.gate.handover;

/**
 * A cell of the table of phases: what follows for every record from what a gate was told and from
 * its rules. It is looked up once for each thing told, and not for each record. Its bound is the
 * number that records are compared with.
 */
public enum Cell {
  /** Everything passes. */
  PASS,
  /** Nothing is known: everything is kept. */
  HOLD,
  /** Everything is the other job's. */
  CLOSED,
  /** The outgoing job has answered PREPARE, and keeps what is above its answer. */
  ANSWERED,
  /**
   * The outgoing job knows the cut, its bound. ABORT may still come, after which all is its own.
   */
  CUT,
  /** The outgoing job after COMMIT: from the cut on, its bound, records are the other job's. */
  DRAINING,
  /** The incoming job waits. What is not above H, its bound, the outgoing job has emitted. */
  WAITING,
  /** The incoming job emits from the cut on, its bound, and late records. */
  TAKING_OVER,
  /** The same without late records. */
  TAKING_OVER_IN_TIME,
  /** The incoming job keeps what it would emit, until the outgoing one is sealed. */
  TAKING_TURNS,
  /** The same without late records. */
  TAKING_TURNS_IN_TIME;

  /** The cell for what was told. */
  public static Cell of(Rules rules, Told told) {
    switch (told.role()) {
      case NOTHING:
        return HOLD;
      case OUTGOING:
        return outgoing(told.getOutgoing());
      case INCOMING:
        return incoming(rules, told.getIncoming().name());
      default:
        return CLOSED;
    }
  }

  private static Cell outgoing(Phase phase) {
    switch (phase.name()) {
      case PREPARE:
        return phase.cut().isPresent() ? CUT : ANSWERED;
      case COMMIT:
        return DRAINING;
      case SEALED:
        // A standby that waits to be handed back to, or to go.
        return CLOSED;
      default:
        return PASS;
    }
  }

  private static Cell incoming(Rules rules, Phase.Name phase) {
    boolean inTime = rules.lateRecords() == Rules.LateRecords.OUTGOING;
    switch (phase) {
      case STANDBY:
      case PREPARE:
        return WAITING;
      case COMMIT:
        if (rules.ordering() == Rules.Ordering.STRICT) {
          return inTime ? TAKING_TURNS_IN_TIME : TAKING_TURNS;
        }
        return inTime ? TAKING_OVER_IN_TIME : TAKING_OVER;
      case SEALED:
        return inTime ? TAKING_OVER_IN_TIME : TAKING_OVER;
      default:
        // There is no incoming job in STABLE: what still runs was given up.
        return CLOSED;
    }
  }

  /** The bound that goes with what was told; 0 for a cell that has none. */
  public static long bound(Told told) {
    switch (told.role()) {
      case OUTGOING:
        return told.getOutgoing().cut().orElse(0);
      case INCOMING:
        return told.getIncoming().cut().orElse(told.getIncoming().highest());
      default:
        return 0;
    }
  }
}
