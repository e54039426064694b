package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The handover record: what the operator and both coordinators know together. {@link RecordCodec}
 * is its wire form.
 */
@AutoValue
public abstract class HandoverRecord {

  HandoverRecord() {}

  /** A record in which everything optional is missing. */
  public static Builder builder() {
    return new AutoValue_HandoverRecord.Builder().firstDeployment(false).deletionDelayMs(0);
  }

  abstract Builder toBuilder();

  /** The transition that the record is about. */
  public abstract long epoch();

  /** Where it stands. */
  public abstract Phase phase();

  /**
   * The job that is active, and the outgoing one while a handover is under way. It changes with
   * STABLE after SEALED.
   */
  public abstract Job active();

  /**
   * The epoch that the incoming job was created for; its colour is the other one. None where no
   * handover is under way.
   */
  public abstract OptionalLong incoming();

  /** Where the incoming job was forked off; none for a job that waited as a standby. */
  public abstract Optional<Fork> fork();

  /**
   * Strategy SAVEPOINT: the path of the savepoint that the active job starts from. It is written
   * together with {@link #active()}.
   */
  public abstract Optional<String> savepoint();

  /** Until when the operator waits for what it awaits. */
  public abstract Optional<Instant> deadline();

  /** Why the phase is ABORT. */
  public abstract Optional<AbortReason> reason();

  /** What the coordinator of the blue job reports. */
  public abstract Optional<Report> blue();

  /** What the coordinator of the green job reports. */
  public abstract Optional<Report> green();

  /** FLIP-504's {@code is-first-deployment}. */
  public abstract boolean firstDeployment();

  /**
   * FLIP-504's {@code deployment-deletion-delay-ms}: how long the outgoing job stays after the
   * handover, in milliseconds.
   */
  public abstract long deletionDelayMs();

  /** What the coordinator of the job of this colour reports. */
  public final Optional<Report> report(Color color) {
    return color == Color.BLUE ? blue() : green();
  }

  /** The attempt that the record names for the job of this colour; 0 if it has none. */
  final long attempt(Color color) {
    return report(color).map(Report::attempt).orElse(0L);
  }

  /**
   * What the record means for the gates of this job. The numbers that its role has no use for are
   * left out, so that a change of them tells the gates nothing new.
   */
  public final Told told(Job job) {
    if (job.equals(active())) {
      return Told.outgoing(withoutHighest(phase()));
    }
    if (isIncoming(job)) {
      return Told.incoming(withoutCutBeforeCommit(phase()));
    }
    // In a record of an epoch before its own, a job is not named yet.
    return job.createdFor() > epoch() ? Told.nothing() : Told.stranger();
  }

  private boolean isIncoming(Job job) {
    return incoming().isPresent()
        && job.equals(Job.of(active().color().other(), incoming().getAsLong()));
  }

  private static Phase withoutHighest(Phase phase) {
    switch (phase.name()) {
      case STANDBY:
        return Phase.standby(Times.NO_TIMESTAMP);
      case PREPARE:
        return phase.cut().isPresent()
            ? Phase.prepare(Times.NO_TIMESTAMP, phase.cut().getAsLong())
            : Phase.prepare(Times.NO_TIMESTAMP);
      default:
        return phase;
    }
  }

  private static Phase withoutCutBeforeCommit(Phase phase) {
    return phase.name() == Phase.Name.PREPARE ? Phase.prepare(phase.highest()) : phase;
  }

  /**
   * The record after what the coordinator of the job of this colour writes. A phase that may not
   * follow is not written; no coordinator wants one.
   */
  public final HandoverRecord with(Color color, Change change) {
    switch (change.kind()) {
      case REPORT:
        return withReport(color, change.getReport());
      case PUBLISH:
        return withReport(color, change.getPublish().report())
            .advancedTo(Phase.standby(change.getPublish().highest()));
      case CUT:
        return advancedTo(Phase.prepare(phase().highest(), change.getCut()));
      case ABORT:
        return phase().name() == Phase.Name.PREPARE
            ? toBuilder().phase(Phase.abort()).reason(Optional.of(change.getAbort())).build()
            : this;
      default:
        throw new AssertionError(change);
    }
  }

  private HandoverRecord withReport(Color color, Report report) {
    Builder next = toBuilder();
    Optional<Report> present = Optional.of(report);
    return (color == Color.BLUE ? next.blue(present) : next.green(present)).build();
  }

  private HandoverRecord advancedTo(Phase next) {
    return phase().mayBecome(next) ? toBuilder().phase(next).build() : this;
  }

  /** Collects a record. */
  @AutoValue.Builder
  public abstract static class Builder {
    public abstract Builder epoch(long epoch);

    public abstract Builder phase(Phase phase);

    public abstract Builder active(Job job);

    public abstract Builder incoming(OptionalLong createdFor);

    public abstract Builder fork(Optional<Fork> fork);

    public abstract Builder savepoint(Optional<String> path);

    public abstract Builder deadline(Optional<Instant> deadline);

    public abstract Builder reason(Optional<AbortReason> reason);

    public abstract Builder blue(Optional<Report> report);

    public abstract Builder green(Optional<Report> report);

    public abstract Builder firstDeployment(boolean first);

    public abstract Builder deletionDelayMs(long milliseconds);

    public abstract HandoverRecord build();
  }
}
