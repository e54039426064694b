package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What the coordinator of one job knows: of the record, of itself, of its subtasks. One coordinator
 * speaks for all gates of the job. {@link Coordinator} says what follows from it.
 */
@AutoValue
public abstract class Situation {

  Situation() {}

  /**
   * A coordinator in a JobManager that has just come up. The job's tasks have not been started.
   *
   * @param incarnation which life of a JobManager this is, so that one whose answer was lost knows
   *     its own write again, and one that was replaced before it ever held an attempt does not take
   *     its successor's for its predecessor's; a later life has a larger one; not negative
   * @param maxCutLead how far W may lie ahead of the watermark, in milliseconds ({@code
   *     bluegreen.gate.max-cut-lead})
   * @param names what people call the gates, by their numbers: the names of the sinks that they
   *     stand before; a gate that is not named has no name
   */
  public static Situation initial(
      Job job, long incarnation, long maxCutLead, Map<Integer, String> names) {
    return builder()
        .job(job)
        .incarnation(incarnation)
        .maxCutLead(maxCutLead)
        .names(Map.copyOf(names))
        .standing(
            Standing.starting(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty()))
        .build();
  }

  static Builder builder() {
    return new AutoValue_Situation.Builder()
        .awaitsTasks(false)
        .publishDue(false)
        .heldTooLong(false)
        .names(Map.of())
        .subtasks(Collections.emptySortedMap());
  }

  abstract Builder toBuilder();

  /** Its job. */
  public abstract Job job();

  /** Its JobManager's life. Of two, the later one has the larger number. */
  public abstract long incarnation();

  /** How far W may lie ahead of the watermark, in milliseconds. */
  public abstract long maxCutLead();

  /** What people call its gates, by their numbers. */
  public abstract Map<Integer, String> names();

  /** What it is entitled to. */
  public abstract Standing standing();

  /** The newest record that it has read. */
  public abstract Optional<Seen> seen();

  /**
   * The version on which a write that is under way is conditional. Once a newer version was read,
   * that write has had its effect or will have none.
   */
  public abstract OptionalLong writing();

  /**
   * Whether the tasks were started, and none of them is there yet. It takes no attempt before, so
   * that a job which finds no slots takes none each time that it tries.
   */
  public abstract boolean awaitsTasks();

  /** What it told its subtasks last. */
  public abstract Optional<Orders> told();

  /** Whether it is time to publish. */
  public abstract boolean publishDue();

  /** Whether records were kept back for too long. */
  public abstract boolean heldTooLong();

  /** The last checkpoint that completed in this attempt. */
  public abstract OptionalLong completed();

  /** The checkpoint at whose barrier every gate had passed the cut. */
  public abstract Optional<Passed> passed();

  /** Its job's subtasks; not to be modified. */
  public abstract SortedMap<Subtask, SubtaskSituation> subtasks();

  /** The highest timestamp that the job is known to have emitted in this attempt. */
  final long highest() {
    return subtasks().values().stream()
        .mapToLong(SubtaskSituation::highest)
        .max()
        .orElse(Times.NO_TIMESTAMP);
  }

  /** The gates, taken together, and each. */
  final GatesReport gates() {
    SortedMap<Integer, List<SubtaskSituation>> gates = new TreeMap<>();
    subtasks()
        .forEach(
            (subtask, known) ->
                gates.computeIfAbsent(subtask.gate(), it -> new ArrayList<>()).add(known));
    List<GateReport> each = new ArrayList<>();
    gates.forEach(
        (gate, known) -> {
          if (known.stream().anyMatch(SubtaskSituation::isKnown)) {
            each.add(gate(gate, known));
          }
        });
    Collection<SubtaskSituation> all = subtasks().values();
    boolean allReporting = all.stream().allMatch(SubtaskSituation::isKnown);
    return GatesReport.of(
        allReporting,
        allReporting ? heard() : OptionalLong.empty(),
        lowestWatermark(all),
        all.stream().mapToLong(SubtaskSituation::dropped).max().orElse(Times.NO_TIMESTAMP),
        sum(all),
        each);
  }

  /**
   * The lowest epoch that a subtask which has not finished reported under; one that has finished
   * drops nothing more.
   */
  private OptionalLong heard() {
    List<SubtaskSituation> running = new ArrayList<>(subtasks().values());
    running.removeIf(it -> it.finished().isPresent());
    OptionalLong lowest = reports(running).mapToLong(SubtaskReport::epoch).min();
    return lowest.isPresent()
        ? lowest
        : seen().stream().mapToLong(it -> it.handover().epoch()).findFirst();
  }

  private GateReport gate(int gate, List<SubtaskSituation> subtasks) {
    List<SubtaskSituation> running = new ArrayList<>(subtasks);
    running.removeIf(it -> it.finished().isPresent());
    return GateReport.of(
        gate,
        names().getOrDefault(gate, ""),
        lowestWatermark(subtasks),
        !running.isEmpty() && running.stream().allMatch(SubtaskSituation::isIdle),
        sum(subtasks));
  }

  private static long lowestWatermark(Collection<SubtaskSituation> subtasks) {
    return subtasks.stream()
        .map(SubtaskSituation::watermark)
        .filter(OptionalLong::isPresent)
        .mapToLong(OptionalLong::getAsLong)
        .min()
        .orElse(Times.NO_WATERMARK);
  }

  private static Figures sum(Collection<SubtaskSituation> subtasks) {
    return reports(subtasks).map(SubtaskReport::figures).reduce(Figures.NONE, Figures::plus);
  }

  private static Stream<SubtaskReport> reports(Collection<SubtaskSituation> subtasks) {
    return subtasks.stream().map(SubtaskSituation::report).flatMap(Optional::stream);
  }

  /** Its report as it should stand in this record; nothing if it stands there. */
  final Optional<Report> newReport(HandoverRecord handover) {
    Optional<Report> written = handover.report(job().color());
    return written
        .map(
            it ->
                it.toBuilder()
                    .completed(Counts.max(it.completed(), completed()))
                    .passed(passed())
                    .gates(gates())
                    .build())
        .filter(it -> !it.equals(written.get()));
  }

  /**
   * What is said of a subtask, if it belongs to the attempt that this coordinator holds. Anything
   * else changes nothing.
   */
  final Situation with(Subtask subtask, long attempt, UnaryOperator<SubtaskSituation> said) {
    SubtaskSituation known = subtasks().get(subtask);
    if (known == null || !standing().attempt().equals(OptionalLong.of(attempt))) {
      return this;
    }
    SortedMap<Subtask, SubtaskSituation> next = new TreeMap<>(subtasks());
    next.put(subtask, said.apply(known));
    return toBuilder().subtasks(Collections.unmodifiableSortedMap(next)).build();
  }

  final boolean isPreparing() {
    return seen().filter(it -> it.handover().phase().name() == Phase.Name.PREPARE).isPresent();
  }

  final boolean allFinished() {
    return subtasks().values().stream().allMatch(it -> it.finished().isPresent());
  }

  /** Collects a situation. */
  @AutoValue.Builder
  abstract static class Builder {
    abstract Builder job(Job job);

    abstract Builder incarnation(long incarnation);

    abstract Builder maxCutLead(long milliseconds);

    abstract Builder names(Map<Integer, String> names);

    abstract Builder standing(Standing standing);

    abstract Builder seen(Optional<Seen> seen);

    abstract Builder writing(OptionalLong version);

    abstract Builder awaitsTasks(boolean awaits);

    abstract Builder told(Optional<Orders> orders);

    abstract Builder publishDue(boolean due);

    abstract Builder heldTooLong(boolean held);

    abstract Builder completed(OptionalLong checkpoint);

    abstract Builder passed(Optional<Passed> passed);

    abstract Builder subtasks(SortedMap<Subtask, SubtaskSituation> subtasks);

    abstract Situation build();
  }
}
