package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.AbortReason;
import io.github.sluiceflink.gate.handover.Fork;
import io.github.sluiceflink.gate.handover.GatesReport;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.handover.Restore;
import io.github.sluiceflink.gate.handover.Times;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The operator's side: it reads the record, which may be old, and does the one thing that follows.
 * The shipping one is written in Rust; this is the table of phases once more.
 */
final class Driver {

  /** How many looks it waits for what the standby dropped, when nothing goes wrong. */
  private static final int PATIENCE = 40;

  private final World world;
  private int transitions;
  private int waited;

  /**
   * The epoch for which it wants a savepoint, and the outgoing job's attempt before it was asked.
   */
  private long wantedFor = -1;

  private long wantedAttempt;
  private SimulatedJob wantedFrom;

  /** The epoch for which it has one. */
  private long forkedFor = -1;

  private Snapshot fork;
  private long forkAttempt;
  private SimulatedJob forkedFrom;

  Driver(World world) {
    this.world = world;
    this.transitions = world.plan.transitions;
  }

  /** It forgets what it has not written down. */
  void die() {
    world.say(() -> "the operator dies");
    wantedFor = -1;
  }

  boolean isDone() {
    HandoverRecord record = world.store.newest();
    return record.phase().name() == Phase.Name.STABLE && !mayBegin();
  }

  private boolean mayBegin() {
    return transitions > 0 && (!world.isCalm() || world.plan.persists);
  }

  /** It looks, and acts. */
  void act() {
    if (world.store.isOut) {
      return;
    }
    long version = world.versionRead();
    HandoverRecord record = world.store.at(version);
    switch (record.phase().name()) {
      case STABLE:
        waited = 0;
        stable(version, record);
        break;
      case STANDBY:
        standby(version, record);
        break;
      case PREPARE:
        if (record.phase().cut().isPresent()) {
          boolean withoutVersion = world.wrong == Wrong.COMMIT_WITHOUT_VERSION;
          write(withoutVersion ? 0 : version, edit(record, Phase.commit(cut(record))));
        }
        break;
      case COMMIT:
        commit(version, record);
        break;
      case SEALED:
        Job incoming = Laws.incoming(record).get();
        boolean mayEnd = world.wrong == Wrong.STABLE_BEFORE_PASSED || hasPassed(record, incoming);
        if (mayEnd) {
          write(version, ended(record).active(incoming).build());
        }
        break;
      default:
        world.find(record.active());
        if (isNewest(record)) {
          Laws.incoming(record).map(world::find).ifPresent(this::giveUp);
          write(version, ended(record).build());
        }
    }
  }

  private void giveUp(SimulatedJob incoming) {
    boolean isStandby = incoming.wasActive;
    if (!isStandby || world.random.nextBoolean()) {
      world.delete(incoming);
    }
  }

  private boolean isNewest(HandoverRecord record) {
    return !world.store.isOut && record.equals(world.store.newest());
  }

  private static long cut(HandoverRecord record) {
    return record.phase().cut().getAsLong();
  }

  /** No handover is under way: it cleans up, and begins the next one. */
  private void stable(long version, HandoverRecord record) {
    if (!isNewest(record)) {
      return;
    }
    SimulatedJob standby = null;
    long next = record.epoch() + 1;
    for (SimulatedJob job : new ArrayList<>(world.jobs)) {
      if (job.job.equals(record.active())) {
        continue;
      }
      boolean isPrepared = job.job.createdFor() == next && forkedFor == next;
      if (isPrepared) {
        continue;
      }
      boolean isStandby = job.wasActive && !job.isStopped && !job.isStopping();
      if (isStandby && mayBegin() && world.random.nextInt(6) > 0) {
        standby = job;
      } else {
        world.delete(job);
      }
    }
    if (!mayBegin()) {
      return;
    }
    if (standby != null) {
      if (world.random.nextInt(3) == 0) {
        write(
            version,
            builder(record)
                .phase(Phase.standby(Times.NO_TIMESTAMP))
                .epoch(next)
                .incoming(OptionalLong.of(standby.job.createdFor()))
                .build());
      }
      return;
    }
    SimulatedJob active = world.find(record.active());
    if (forkedFor != next || forkedFrom != active) {
      wantSavepoint(record, active, next);
      return;
    }
    Job incoming = Job.of(record.active().color().other(), next);
    if (world.find(incoming) == null && world.random.nextBoolean()) {
      world.create(incoming, fork, forkAttempt, active);
      return;
    }
    write(
        version,
        builder(record)
            .phase(Phase.standby(Times.NO_TIMESTAMP))
            .epoch(next)
            .incoming(OptionalLong.of(next))
            .fork(Optional.of(Fork.of(fork.id, forkAttempt)))
            .build());
  }

  private void wantSavepoint(HandoverRecord record, SimulatedJob active, long next) {
    if (active.run == null || active.run.tasks == null) {
      return;
    }
    if (wantedFor != next) {
      // Read before the savepoint is asked for: a restart in between then counts as one after it.
      wantedAttempt = attempt(record, record.active());
    }
    wantedFor = next;
    wantedFrom = active;
    active.run.tasks.trigger(Snapshot.Kind.SAVEPOINT);
  }

  private static long attempt(HandoverRecord record, Job job) {
    return report(record, job).map(Report::attempt).orElse(0L);
  }

  private static Optional<Report> report(HandoverRecord record, Job job) {
    return record.report(job.color()).filter(it -> it.createdFor() == job.createdFor());
  }

  /** A savepoint that it asked for has completed. */
  void hasSavepoint(SimulatedJob job, Snapshot savepoint) {
    if (wantedFor >= 0 && job == wantedFrom) {
      forkedFor = wantedFor;
      forkedFrom = job;
      fork = savepoint;
      forkAttempt = wantedAttempt;
      wantedFor = -1;
    }
  }

  private void standby(long version, HandoverRecord record) {
    Job name = Laws.incoming(record).get();
    SimulatedJob incoming = world.find(name);
    if (incoming == null) {
      if (!isNewest(record)) {
        return;
      }
      if (forkedFor == record.epoch() && record.fork().isPresent()) {
        world.create(name, fork, forkAttempt, world.find(record.active()));
      } else {
        write(version, aborted(record, "the incoming job is gone"));
      }
      return;
    }
    Optional<Report> outgoing = report(record, record.active());
    Optional<GatesReport> gates = report(record, name).map(Report::gates);
    boolean isReady = gates.filter(GatesReport::allReporting).isPresent();
    if (record.fork().isPresent()) {
      Fork forked = record.fork().get();
      if (outgoing.isPresent() && !isOnward(forked, outgoing.get())) {
        write(version, aborted(record, "the outgoing job went back behind the fork"));
        return;
      }
      boolean isSettled =
          outgoing.isPresent()
              && outgoing.get().completed().isPresent()
              && outgoing.get().completed().getAsLong() > forked.checkpoint();
      if (!isSettled && world.wrong != Wrong.PREPARE_WITHOUT_SETTLED_FORK) {
        return;
      }
    } else {
      boolean missesNothing = missesNothing(record, gates);
      if (!missesNothing && world.isCalm() && ++waited > PATIENCE) {
        // Nothing as high may come any more; the deadline ends that.
        write(version, aborted(record, "it takes too long"));
        return;
      }
      if (!missesNothing && world.wrong != Wrong.PREPARE_BEFORE_STANDBY_MISSES_NOTHING) {
        return;
      }
    }
    if (isReady) {
      write(version, edit(record, Phase.prepare(record.phase().highest())));
    }
  }

  /**
   * Whether H has reached everything that the standby dropped before it learned that it takes over.
   */
  private static boolean missesNothing(HandoverRecord record, Optional<GatesReport> gates) {
    boolean hasHeard =
        gates
            .filter(it -> it.heard().isPresent() && it.heard().getAsLong() >= record.epoch())
            .isPresent();
    boolean isOvertaken =
        gates.filter(it -> it.highestDropped() <= record.phase().highest()).isPresent();
    return isOvertaken && hasHeard;
  }

  /** What {@code Fork::lineage} says on the operator's side. */
  private static boolean isOnward(Fork fork, Report outgoing) {
    long expected = fork.attempt() + 1;
    for (Restore restore : outgoing.restores()) {
      if (restore.attempt() > fork.attempt()) {
        boolean isBehind =
            !restore.checkpoint().isPresent()
                || restore.checkpoint().getAsLong() < fork.checkpoint();
        if (restore.attempt() != expected || isBehind) {
          return false;
        }
        expected++;
      }
    }
    return expected == outgoing.attempt() + 1;
  }

  private static boolean hasPassed(HandoverRecord record, Job job) {
    return report(record, job)
        .flatMap(Report::passed)
        .filter(it -> it.epoch() == record.epoch())
        .isPresent();
  }

  private void commit(long version, HandoverRecord record) {
    if (!hasPassed(record, record.active())) {
      return;
    }
    SimulatedJob outgoing = world.find(record.active());
    if (outgoing == null) {
      return;
    }
    HandoverRecord sealed = edit(record, Phase.sealed(cut(record)));
    if (world.wrong == Wrong.DELETED_BEFORE_SEALED && isNewest(record)) {
      world.delete(outgoing);
      return;
    }
    long passed = report(record, record.active()).get().passed().get().checkpoint();
    boolean isCommitted =
        outgoing.live.stream()
            .noneMatch(it -> it.state == Transaction.State.PENDING && it.checkpoint <= passed);
    if (outgoing.isStopped || (isCommitted && world.random.nextInt(2) == 0)) {
      write(version, sealed);
    } else if (isNewest(record) && outgoing.run != null && outgoing.run.tasks != null) {
      outgoing.run.tasks.trigger(Snapshot.Kind.STOP);
    }
  }

  /** Somebody wants the handover given up. */
  void abort() {
    if (world.store.isOut) {
      return;
    }
    long version = world.versionRead();
    HandoverRecord record = world.store.at(version);
    Phase.Name phase = record.phase().name();
    boolean mayAbort = phase == Phase.Name.STANDBY || phase == Phase.Name.PREPARE;
    boolean mustNot = world.wrong == Wrong.ABORT_AFTER_COMMIT && phase == Phase.Name.COMMIT;
    if (mayAbort || mustNot) {
      write(version, aborted(record, "a person wants it so"));
    }
  }

  /** Something was written. */
  void wrote(HandoverRecord before, HandoverRecord after) {
    if (after.epoch() > before.epoch()) {
      transitions--;
    }
  }

  private HandoverRecord aborted(HandoverRecord record, String why) {
    return builder(record)
        .phase(Phase.abort())
        .reason(Optional.of(AbortReason.operator(why)))
        .build();
  }

  private static HandoverRecord edit(HandoverRecord record, Phase phase) {
    return builder(record).phase(phase).build();
  }

  private static HandoverRecord.Builder ended(HandoverRecord record) {
    return builder(record)
        .phase(Phase.stable())
        .incoming(OptionalLong.empty())
        .fork(Optional.empty())
        .reason(Optional.empty());
  }

  private static HandoverRecord.Builder builder(HandoverRecord record) {
    return HandoverRecord.builder()
        .epoch(record.epoch())
        .phase(record.phase())
        .active(record.active())
        .incoming(record.incoming())
        .fork(record.fork())
        .deadline(record.deadline())
        .reason(record.reason())
        .blue(record.blue())
        .green(record.green())
        .firstDeployment(record.firstDeployment())
        .deletionDelayMs(record.deletionDelayMs());
  }

  private void write(long expected, HandoverRecord record) {
    world.say(() -> "the operator wants " + record.phase() + " on version " + expected);
    world.network.add(new Write(null, expected, record));
  }
}
