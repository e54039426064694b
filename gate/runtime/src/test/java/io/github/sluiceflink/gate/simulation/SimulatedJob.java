package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Job;
import java.util.ArrayList;
import java.util.List;

/** What of a job outlives its JobManagers: its checkpoints, and what its sinks wrote. */
final class SimulatedJob {

  final Job job;

  /** The savepoint that it was forked from; null for the first job. */
  final Snapshot origin;

  /** In which attempt of the outgoing job that was taken. */
  final long originAttempt;

  int sources;
  final int[] parallelism;

  /** The last checkpoint that completed; null if none has. */
  Snapshot latest;

  long nextCheckpoint;
  Run run;

  /** It was stopped with a savepoint. */
  boolean isStopped;

  boolean wasActive;

  /** What is neither committed nor aborted. */
  final List<Transaction> live = new ArrayList<>();

  /** How often each record of each gate is in a transaction that is not aborted. */
  final int[][] written;

  final int[][] committed;

  SimulatedJob(Job job, Snapshot origin, long originAttempt, Plan plan, int sources) {
    this.job = job;
    this.origin = origin;
    this.originAttempt = originAttempt;
    this.sources = sources;
    this.parallelism = new int[plan.gates];
    this.nextCheckpoint = origin == null ? 1 : origin.id + 1;
    this.written = new int[plan.gates][plan.times.length];
    this.committed = new int[plan.gates][plan.times.length];
  }

  /** What it restores. */
  Snapshot restorable() {
    return latest == null ? origin : latest;
  }

  void commit(Transaction transaction) {
    transaction.state = Transaction.State.COMMITTED;
    live.remove(transaction);
    for (int record : transaction.records) {
      committed[transaction.gate][record]++;
    }
  }

  void abort(Transaction transaction) {
    transaction.state = Transaction.State.ABORTED;
    live.remove(transaction);
    for (int record : transaction.records) {
      written[transaction.gate][record]--;
    }
  }

  @Override
  public String toString() {
    return job.color() + "/" + job.createdFor();
  }

  /** Whether it is being stopped with a savepoint. */
  boolean isStopping() {
    Snapshot current = run == null || run.tasks == null ? null : run.tasks.current;
    return current != null && current.kind == Snapshot.Kind.STOP;
  }
}
