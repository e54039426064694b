package io.github.sluiceflink.gate.handover;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/** What the coordinator of the outgoing job wants to write, given that it holds its attempt. */
final class OutgoingWish {

  private OutgoingWish() {}

  static Optional<Change> of(Situation situation, HandoverRecord handover) {
    Phase phase = handover.phase();
    switch (phase.name()) {
      case STANDBY:
        return publish(situation, handover);
      case PREPARE:
        if (situation.heldTooLong()) {
          return Optional.of(Change.abort(AbortReason.holdTimeout()));
        }
        return phase.cut().isPresent()
            ? report(situation, handover)
            : agree(situation, handover).or(() -> report(situation, handover));
      case COMMIT:
      case SEALED:
        return report(situation, handover);
      default:
        // No handover is under way: nobody reads a report, and nothing is written.
        return Optional.empty();
    }
  }

  /**
   * H, and the report, every second. H is what the subtasks have emitted in this attempt, and never
   * lower than before.
   */
  private static Optional<Change> publish(Situation situation, HandoverRecord handover) {
    long published = handover.phase().highest();
    long highest = Math.max(published, situation.highest());
    if (!situation.publishDue() || highest == published) {
      return report(situation, handover);
    }
    return situation
        .newReport(handover)
        .or(() -> handover.report(situation.job().color()))
        .map(it -> Change.publish(highest, it));
  }

  private static Optional<Change> report(Situation situation, HandoverRecord handover) {
    return situation.publishDue()
        ? situation.newReport(handover).map(Change::report)
        : Optional.empty();
  }

  /** W, once every subtask has answered: above everything emitted, or published as emitted. */
  private static Optional<Change> agree(Situation situation, HandoverRecord handover) {
    long highest = handover.phase().highest();
    Optional<Subtask> whose = Optional.empty();
    for (Map.Entry<Subtask, SubtaskSituation> subtask : situation.subtasks().entrySet()) {
      OptionalLong answer = subtask.getValue().answerTo(handover.epoch());
      if (!answer.isPresent()) {
        return Optional.empty();
      }
      if (answer.getAsLong() > highest) {
        highest = answer.getAsLong();
        whose = Optional.of(subtask.getKey());
      }
    }
    return Optional.of(
        reasonAgainst(situation, whose, highest)
            .map(Change::abort)
            .orElse(Change.cut(Times.cutAbove(highest))));
  }

  /** Why the cut above this timestamp must not be written. */
  private static Optional<AbortReason> reasonAgainst(
      Situation situation, Optional<Subtask> whose, long highest) {
    if (highest == Times.NO_TIMESTAMP) {
      // Nothing with a timestamp was ever emitted: everything is the incoming job's.
      return Optional.empty();
    }
    OptionalLong watermark = slowestWatermark(situation);
    if (!watermark.isPresent()) {
      return situation.allFinished() ? Optional.empty() : Optional.of(AbortReason.noWatermark());
    }
    return Times.lead(highest, watermark.getAsLong()) > situation.maxCutLead()
        ? Optional.of(AbortReason.cutTooFar(whose, highest, watermark.getAsLong()))
        : Optional.empty();
  }

  /** The lowest watermark among the subtasks whose input moves; if all stand still, among all. */
  private static OptionalLong slowestWatermark(Situation situation) {
    OptionalLong moving = lowestWatermark(situation, it -> !it.isIdle());
    return moving.isPresent() ? moving : lowestWatermark(situation, it -> true);
  }

  private static OptionalLong lowestWatermark(
      Situation situation, Predicate<SubtaskSituation> which) {
    return situation.subtasks().values().stream()
        .filter(it -> !it.finished().isPresent())
        .filter(which)
        .map(SubtaskSituation::answeredWatermark)
        .filter(OptionalLong::isPresent)
        .mapToLong(OptionalLong::getAsLong)
        .min();
  }
}
