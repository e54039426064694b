package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the coordinator of one job tells the operator. Its attempt fences: a coordinator that finds
 * a larger one is deposed.
 */
@AutoValue
public abstract class Report {

  private static final int REMEMBERED_RESTORES = 8;

  Report() {}

  public static Builder builder() {
    return new AutoValue_Report.Builder().restores(List.of()).gates(GatesReport.NONE);
  }

  abstract Builder toBuilder();

  /** The epoch that the reporting job was created for. */
  public abstract long createdFor();

  /** How often the job has started. */
  public abstract long attempt();

  /** Which life of the JobManager took this attempt. */
  public abstract long incarnation();

  /** What the last attempts restored, the newest last; at most eight. */
  public abstract List<Restore> restores();

  /** The last checkpoint that the job completed. */
  public abstract OptionalLong completed();

  /** The checkpoint at whose barrier every gate had passed the cut. */
  public abstract Optional<Passed> passed();

  /** What the gates said last, taken together. */
  public abstract GatesReport gates();

  /**
   * The report with which a new attempt begins. What an earlier attempt proved stays true if its
   * checkpoint, or a newer one, was restored.
   *
   * @param last the report that stands in the record, perhaps an earlier job's
   * @param origin the checkpoint that this attempt restored
   */
  static Report ofNewAttempt(
      Optional<Report> last, long createdFor, long attempt, long incarnation, OptionalLong origin) {
    Optional<Report> mine = last.filter(it -> it.createdFor() == createdFor);
    List<Restore> restores = new ArrayList<>();
    mine.ifPresent(it -> restores.addAll(it.restores()));
    restores.add(Restore.of(attempt, origin));
    int surplus = Math.max(0, restores.size() - REMEMBERED_RESTORES);
    return builder()
        .createdFor(createdFor)
        .attempt(attempt)
        .incarnation(incarnation)
        .restores(List.copyOf(restores.subList(surplus, restores.size())))
        // What a forgotten history had completed counts for nothing.
        .completed(origin)
        .passed(
            mine.flatMap(Report::passed)
                .filter(it -> origin.isPresent() && origin.getAsLong() >= it.checkpoint()))
        .build();
  }

  /** Collects a report. */
  @AutoValue.Builder
  public abstract static class Builder {
    public abstract Builder createdFor(long epoch);

    public abstract Builder attempt(long attempt);

    public abstract Builder incarnation(long incarnation);

    public abstract Builder restores(List<Restore> restores);

    public abstract Builder completed(OptionalLong checkpoint);

    public abstract Builder passed(Optional<Passed> passed);

    public abstract Builder gates(GatesReport gates);

    public abstract Report build();
  }
}
