package io.github.sluiceflink.gate.handover;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * The coordinator of a job, outgoing or incoming: a situation and a message give a new situation,
 * and what is to be done. There is one method for each message.
 *
 * <p>It does not matter which message woke it: each only changes what it knows, and what is to be
 * done follows from that. So messages that come twice, late or never do no harm.
 */
public final class Coordinator {

  private Coordinator() {}

  /**
   * The job's tasks were started, all or some of them: a new attempt. Whatever was known of the
   * subtasks is void.
   *
   * @param restored the checkpoint that was restored; none if the job started from nothing
   * @param subtasks all subtasks of all gates, those that had finished before with what they had
   *     emitted
   */
  public static Step onStarted(
      Situation before, OptionalLong restored, Map<Subtask, Optional<Finished>> subtasks) {
    Standing standing = before.standing();
    if (standing.kind() == Standing.Kind.DEPOSED) {
      return decide(before);
    }
    SortedMap<Subtask, SubtaskSituation> known = new TreeMap<>();
    subtasks.forEach(
        (subtask, finished) ->
            known.put(subtask, SubtaskSituation.builder().finished(finished).build()));
    return decide(
        before.toBuilder()
            .standing(Standing.starting(restored, held(standing), OptionalLong.empty()))
            .subtasks(Collections.unmodifiableSortedMap(known))
            .awaitsTasks(known.values().stream().anyMatch(it -> !it.finished().isPresent()))
            .told(Optional.empty())
            .completed(OptionalLong.empty())
            .passed(Optional.empty())
            .heldTooLong(false)
            .build());
  }

  /** The attempt that a coordinator held. */
  private static OptionalLong held(Standing standing) {
    // What it only asked for says nothing of who came later: a late write of its dead predecessor
    // may take that.
    return standing.kind() == Standing.Kind.HOLDS
        ? standing.attempt()
        : standing.getStarting().held();
  }

  /**
   * The record was read, or was written: as it is in that version. What is older than what was read
   * has no effect.
   */
  public static Step onRead(Situation before, long version, HandoverRecord handover) {
    if (before.seen().filter(it -> isOlder(version, handover, it)).isPresent()) {
      return decide(before);
    }
    Situation.Builder next = before.toBuilder().seen(Optional.of(Seen.of(version, handover)));
    if (before.writing().isPresent() && before.writing().getAsLong() < version) {
      next.writing(OptionalLong.empty());
    }
    Optional<Report> mine = handover.report(before.job().color());
    Standing standing = mine.map(it -> recognised(before, it)).orElse(before.standing());
    next.standing(standing);
    if (standing.kind() == Standing.Kind.HOLDS) {
      Optional<Passed> passed = before.passed().or(() -> mine.flatMap(Report::passed));
      next.passed(passed.filter(it -> it.epoch() == handover.epoch()));
    }
    boolean isPreparing = handover.phase().name() == Phase.Name.PREPARE;
    return decide(next.heldTooLong(before.heldTooLong() && isPreparing).build());
  }

  private static boolean isOlder(long version, HandoverRecord handover, Seen seen) {
    return version <= seen.version() || handover.epoch() < seen.handover().epoch();
  }

  /** The standing of a coordinator that finds this report of its colour in the record. */
  private static Standing recognised(Situation before, Report report) {
    Standing standing = before.standing();
    if (report.createdFor() != before.job().createdFor()) {
      return standing;
    }
    switch (standing.kind()) {
      case HOLDS:
        return report.attempt() > standing.getHolds() ? Standing.deposed() : standing;
      case STARTING:
        OptionalLong asked = standing.getStarting().asked();
        OptionalLong held = standing.getStarting().held();
        if (report.incarnation() == before.incarnation()) {
          return asked.equals(OptionalLong.of(report.attempt()))
              ? Standing.holds(report.attempt())
              : standing;
        }
        if (report.incarnation() > before.incarnation()) {
          return Standing.deposed();
        }
        return held.isPresent() && report.attempt() > held.getAsLong()
            ? Standing.deposed()
            : standing;
      default:
        return standing;
    }
  }

  /** A write was refused, or nothing is known of it. The shell waits before it says so. */
  public static Step onWriteFailed(Situation before) {
    return decide(before.toBuilder().writing(OptionalLong.empty()).build());
  }

  /** A subtask is ready to be told. */
  public static Step onReady(Situation before, Subtask subtask) {
    List<Action> actions = new ArrayList<>();
    before.told().ifPresent(orders -> actions.add(Action.tell(subtask, orders)));
    return decide(before.toBuilder().awaitsTasks(false).build(), actions);
  }

  /** A subtask answers PREPARE. */
  public static Step onAnswered(Situation before, Subtask subtask, long attempt, Answer answer) {
    return said(before, subtask, attempt, it -> it.toBuilder().answer(answer).build());
  }

  /** A subtask reports, as it does every second. */
  public static Step onReported(
      Situation before, Subtask subtask, long attempt, SubtaskReport report) {
    return said(before, subtask, attempt, it -> it.toBuilder().report(report).build());
  }

  /** How a subtask stood at the barrier of a checkpoint. */
  public static Step onBarrier(Situation before, Subtask subtask, AtBarrier barrier) {
    return said(before, subtask, barrier.attempt(), it -> it.withBarrier(barrier));
  }

  /** A subtask has come to the end of its input. */
  public static Step onFinished(
      Situation before, Subtask subtask, long attempt, Finished finished) {
    return said(
        before, subtask, attempt, it -> it.toBuilder().finished(Optional.of(finished)).build());
  }

  private static Step said(
      Situation before, Subtask subtask, long attempt, UnaryOperator<SubtaskSituation> what) {
    return decide(before.with(subtask, attempt, what));
  }

  /**
   * A checkpoint has completed. Whether every subtask had passed the cut is judged by how it stood
   * at the barrier, not by how it stands now.
   */
  public static Step onCompleted(Situation before, long checkpoint) {
    if (before.standing().kind() != Standing.Kind.HOLDS) {
      return decide(before);
    }
    SortedMap<Subtask, SubtaskSituation> subtasks = new TreeMap<>(before.subtasks());
    subtasks.replaceAll((subtask, known) -> known.withoutBarriersUpTo(checkpoint));
    return decide(
        before.toBuilder()
            .completed(Counts.max(before.completed(), OptionalLong.of(checkpoint)))
            .passed(before.passed().or(() -> passedAt(before, checkpoint)))
            .subtasks(Collections.unmodifiableSortedMap(subtasks))
            .build());
  }

  private static Optional<Passed> passedAt(Situation before, long checkpoint) {
    return before
        .seen()
        .map(Seen::handover)
        .filter(it -> it.phase().cut().isPresent())
        .filter(
            it -> {
              long cut = it.phase().cut().getAsLong();
              return before.subtasks().values().stream()
                  .allMatch(known -> known.hasPassed(cut, checkpoint));
            })
        .map(it -> Passed.of(it.epoch(), checkpoint));
  }

  /** It is time to publish: every second while a handover is under way. */
  public static Step onPublishDue(Situation before) {
    return decide(before.toBuilder().publishDue(true).build());
  }

  /** The gates have kept records back for {@code bluegreen.gate.hold-timeout}. */
  public static Step onHoldTimeout(Situation before) {
    return decide(before.toBuilder().heldTooLong(before.isPreparing()).build());
  }

  private static Step decide(Situation situation) {
    return decide(situation, new ArrayList<>());
  }

  /** What follows from what it knows now; nothing from a coordinator that is deposed. */
  private static Step decide(Situation situation, List<Action> actions) {
    if (situation.standing().kind() == Standing.Kind.DEPOSED) {
      return Step.of(situation, List.of());
    }
    if (!situation.seen().isPresent()) {
      return Step.of(situation, actions);
    }
    HandoverRecord handover = situation.seen().get().handover();
    Situation.Builder next = situation.toBuilder();
    tell(situation, handover)
        .ifPresent(
            orders -> {
              next.told(Optional.of(orders));
              actions.add(Action.tellAll(orders));
            });
    // One write at a time.
    if (!situation.writing().isPresent()) {
      long version = situation.seen().get().version();
      wish(situation, handover, next)
          .ifPresent(
              change -> {
                next.writing(OptionalLong.of(version));
                actions.add(Action.write(version, change));
              });
    }
    return Step.of(next.build(), actions);
  }

  /** What the subtasks have to be told that they have not been. */
  private static Optional<Orders> tell(Situation situation, HandoverRecord handover) {
    Told told = handover.told(situation.job());
    long attempt;
    if (situation.standing().kind() == Standing.Kind.HOLDS) {
      attempt = situation.standing().getHolds();
    } else if (told.role() == Told.Role.STRANGER) {
      // Without an attempt in the record nothing proves that it was current; being closed needs no
      // proof.
      attempt = situation.standing().getStarting().held().orElse(0);
    } else {
      return Optional.empty();
    }
    if (told.role() == Told.Role.NOTHING) {
      return Optional.empty();
    }
    Orders orders = Orders.of(handover.epoch(), attempt, told);
    return Optional.of(orders).filter(it -> !situation.told().equals(Optional.of(it)));
  }

  /** What it wants to write, and what it remembers of having wanted it. */
  private static Optional<Change> wish(
      Situation situation, HandoverRecord handover, Situation.Builder next) {
    Told.Role role = handover.told(situation.job()).role();
    if (role == Told.Role.NOTHING || role == Told.Role.STRANGER) {
      return Optional.empty();
    }
    if (situation.standing().kind() == Standing.Kind.STARTING) {
      return takeAttempt(situation, handover, next);
    }
    next.publishDue(false);
    return role == Told.Role.OUTGOING
        ? OutgoingWish.of(situation, handover)
        : IncomingWish.of(situation, handover);
  }

  /**
   * The write that makes every write of an earlier attempt fail. A job of whose tasks none is there
   * takes none.
   */
  private static Optional<Change> takeAttempt(
      Situation situation, HandoverRecord handover, Situation.Builder next) {
    if (situation.subtasks().isEmpty() || situation.awaitsTasks()) {
      return Optional.empty();
    }
    Job job = situation.job();
    Standing.Starting starting = situation.standing().getStarting();
    long last = Math.max(handover.attempt(job.color()), starting.held().orElse(0));
    long attempt = Counts.next(last);
    next.standing(
        Standing.starting(starting.restored(), starting.held(), OptionalLong.of(attempt)));
    return Optional.of(
        Change.report(
            Report.ofNewAttempt(
                handover.report(job.color()),
                job.createdFor(),
                attempt,
                situation.incarnation(),
                starting.restored())));
  }
}
