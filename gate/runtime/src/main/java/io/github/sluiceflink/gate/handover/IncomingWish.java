package io.github.sluiceflink.gate.handover;

import java.util.Optional;

/**
 * What the coordinator of the incoming job wants to write, given that it holds its attempt: its
 * report, and nothing else.
 */
final class IncomingWish {

  private IncomingWish() {}

  static Optional<Change> of(Situation situation, HandoverRecord handover) {
    switch (handover.phase().name()) {
      case STANDBY:
      case PREPARE:
      case COMMIT:
      case SEALED:
        return situation.publishDue()
            ? situation.newReport(handover).map(Change::report)
            : Optional.empty();
      default:
        // It was given up, or there is nothing to take over.
        return Optional.empty();
    }
  }
}
