package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Cell;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Kept;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.handover.Rules;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** The laws, each judged where it could be broken. */
final class Laws {

  private final World world;

  /** Jobs that were deleted. */
  final List<SimulatedJob> gone = new ArrayList<>();

  private boolean hasGoneBack;

  Laws(World world) {
    this.world = world;
  }

  private static void require(boolean holds, Law law, Supplier<String> how) {
    if (!holds) {
      throw new Broken(law, how.get());
    }
  }

  static Optional<Job> incoming(HandoverRecord record) {
    return record.incoming().isPresent()
        ? Optional.of(Job.of(record.active().color().other(), record.incoming().getAsLong()))
        : Optional.empty();
  }

  private long time(int record) {
    return world.plan.times[record];
  }

  private boolean isLate(int record) {
    return world.plan.late.get(record);
  }

  /** A record comes to a gate. */
  void came(GateTask task, Item item) {
    if (task.tasks.run.isDeposed || time(item.id) > task.gate.watermark() || isLate(item.id)) {
      return;
    }
    throw new IllegalStateException("the simulation lets " + item + " come late to " + task);
  }

  /** A gate emits. */
  void emitted(GateTask task, int record) {
    HandoverRecord handover = world.store.newest();
    Phase phase = handover.phase();
    OptionalLong cut = phase.cut();
    Job job = task.tasks.run.home.job;
    Supplier<String> how = () -> task + " emitted " + record + "@" + time(record) + " in " + phase;
    boolean isLate = isLate(record);
    boolean isBelow = !cut.isPresent() || time(record) < cut.getAsLong();
    if (job.equals(handover.active())) {
      require(isBelow, Law.I3, how);
    } else if (incoming(handover).equals(Optional.of(job))) {
      boolean isStrict = world.plan.rules.ordering() == Rules.Ordering.STRICT;
      require(
          phase.name() == Phase.Name.SEALED || (phase.name() == Phase.Name.COMMIT && !isStrict),
          Law.I10,
          how);
      require(!isBelow || isLate, Law.I1, how);
      boolean onlyOutgoing = world.plan.rules.lateRecords() == Rules.LateRecords.OUTGOING;
      require(!isBelow || !onlyOutgoing, Law.LATE, how);
    } else {
      // The last that a job which was active may do is to emit what is late.
      require(task.tasks.run.home.wasActive && isLate, Law.I10, how);
    }
    int times = 0;
    for (SimulatedJob one : world.jobs) {
      times += one.written[task.subtask.gate()][record];
    }
    for (SimulatedJob one : gone) {
      times += one.written[task.subtask.gate()][record];
    }
    require(times <= 1 || isLate, Law.I1, how);
  }

  /** A gate drops. */
  void dropped(GateTask task, int record) {
    HandoverRecord handover = world.store.newest();
    Phase phase = handover.phase();
    Job job = task.tasks.run.home.job;
    if (isLate(record)) {
      return;
    }
    Supplier<String> how = () -> task + " dropped " + record + "@" + time(record) + " in " + phase;
    boolean isCommitted = phase.name() == Phase.Name.COMMIT || phase.name() == Phase.Name.SEALED;
    if (job.equals(handover.active())) {
      require(isCommitted && time(record) >= phase.cut().getAsLong(), Law.I5, how);
    } else if (incoming(handover).equals(Optional.of(job))) {
      boolean isStandby = !handover.fork().isPresent();
      boolean isEarly = phase.name() == Phase.Name.STANDBY || phase.name() == Phase.Name.PREPARE;
      if (phase.cut().isPresent()) {
        require(time(record) < phase.cut().getAsLong(), Law.I4, how);
      } else if (isEarly && !isStandby) {
        require(time(record) <= phase.highest(), Law.I4, how);
      }
    }
  }

  /** A gate was told something. */
  void told() {
    SimulatedJob passes = null;
    for (SimulatedJob job : world.jobs) {
      if (hasOpen(job, false)) {
        passes = job;
      }
    }
    for (SimulatedJob job : world.jobs) {
      require(passes == null || job == passes || !hasOpen(job, true), Law.I8, message(passes, job));
    }
  }

  private static Supplier<String> message(SimulatedJob passes, SimulatedJob job) {
    return () -> passes + " passes everything, and " + job + " emits";
  }

  private boolean hasOpen(SimulatedJob job, boolean orTakesOver) {
    if (job.run == null || job.run.tasks == null) {
      return false;
    }
    for (GateTask task : job.run.tasks.gates) {
      if (!task.isFinished && task.gate.orders().isPresent()) {
        Cell cell = Cell.of(world.plan.rules, task.gate.orders().get().told());
        boolean takesOver = cell == Cell.TAKING_OVER || cell == Cell.TAKING_OVER_IN_TIME;
        if (cell == Cell.PASS || (orTakesOver && takesOver)) {
          return true;
        }
      }
    }
    return false;
  }

  /** A checkpoint completed. */
  void completed(Run run, Snapshot snapshot) {
    Plan plan = world.plan;
    for (int gate = 0; gate < plan.gates; gate++) {
      BitSet known = (BitSet) snapshot.emitted[gate].clone();
      known.or(snapshot.dropped[gate]);
      for (GateState<Integer> state : snapshot.states.get(gate)) {
        for (Kept<Integer> kept : state.kept()) {
          known.set(kept.record());
        }
      }
      String prefix = gate + "/";
      snapshot.channels.forEach(
          (name, items) -> {
            if (name.startsWith(prefix)) {
              items.stream()
                  .filter(it -> it.kind == Item.Kind.RECORD)
                  .forEach(it -> known.set(it.id));
            }
          });
      for (int split = 0; split < plan.splits.size(); split++) {
        for (Item item : plan.splits.get(split).subList(0, snapshot.positions[split])) {
          if (item.kind == Item.Kind.RECORD && !known.get(item.id)) {
            throw new Broken(
                Law.I6, item + " is lost to gate " + gate + " in " + snapshot.id + " of " + run);
          }
        }
      }
    }
  }

  /** The record was written. */
  void wrote(Write write, HandoverRecord before, HandoverRecord after) {
    Supplier<String> how = () -> before + " became " + after;
    require(mayFollow(before, after), Law.I11, how);
    boolean isCut =
        after.phase().name() == Phase.Name.PREPARE
            && after.phase().cut().isPresent()
            && !before.phase().cut().isPresent();
    if (write.run != null) {
      SimulatedJob home = write.run.home;
      Optional<Report> mine = after.report(home.job.color());
      Optional<Report> last = before.report(home.job.color());
      boolean isOlder =
          last.isPresent()
              && last.get().createdFor() == home.job.createdFor()
              && mine.get().attempt() < last.get().attempt();
      boolean isStranger =
          !home.job.equals(after.active()) && !incoming(after).equals(Optional.of(home.job));
      boolean isOthers = !before.phase().equals(after.phase()) && !home.job.equals(before.active());
      boolean isDeposed =
          write.run.isDeposed && isCut && home.run != null && holds(home.run, before);
      require(!isOlder && !isStranger && !isOthers && !isDeposed, Law.I9, how);
    } else if (!before.active().equals(after.active())) {
      world.find(after.active()).wasActive = true;
    }
    if (after.epoch() != before.epoch() && !after.fork().isPresent()) {
      hasGoneBack = true;
    }
    if (isCut) {
      cut(after, after.phase().cut().getAsLong());
    }
    world.driver.wrote(before, after);
  }

  /** Whether the record names the attempt of this run's coordinator. */
  private static boolean holds(Run run, HandoverRecord record) {
    return record
        .report(run.home.job.color())
        .filter(it -> it.incarnation() == run.incarnation())
        .isPresent();
  }

  private void cut(HandoverRecord record, long cut) {
    require(record.phase().highest() < cut, Law.I3, () -> "W is not above H in " + record.phase());
    SimulatedJob active = world.find(record.active());
    Optional<SimulatedJob> incoming = incoming(record).map(world::find);
    for (int gate = 0; gate < world.plan.gates; gate++) {
      for (int id = 0; id < world.plan.times.length; id++) {
        if (time(id) >= cut && active.written[gate][id] > 0) {
          throw new Broken(Law.I3, id + "@" + time(id) + " was emitted, and W is " + cut);
        }
      }
    }
    incoming
        .filter(it -> it.run != null && it.run.tasks != null)
        .ifPresent(
            job -> {
              for (GateTask task : job.run.tasks.gates) {
                BitSet dropped = (BitSet) task.dropped().clone();
                dropped.or(job.run.tasks.dropped[task.subtask.gate()]);
                dropped.andNot(world.plan.late);
                dropped.stream()
                    .forEach(
                        id ->
                            require(
                                time(id) < cut || !isForked(record),
                                Law.I4,
                                () ->
                                    task
                                        + " has dropped "
                                        + id
                                        + "@"
                                        + time(id)
                                        + ", W is "
                                        + cut));
              }
            });
  }

  private static boolean isForked(HandoverRecord record) {
    return record.fork().isPresent();
  }

  private static boolean mayFollow(HandoverRecord before, HandoverRecord after) {
    Phase from = before.phase();
    Phase to = after.phase();
    if (after.epoch() != before.epoch()) {
      return after.epoch() == before.epoch() + 1
          && from.name() == Phase.Name.STABLE
          && to.name() == Phase.Name.STANDBY
          && before.active().equals(after.active());
    }
    boolean isFinished = from.name() == Phase.Name.SEALED && to.name() == Phase.Name.STABLE;
    if (!before.active().equals(after.active()) && !isFinished) {
      return false;
    }
    if (from.equals(to)) {
      return true;
    }
    switch (to.name()) {
      case STANDBY:
        return from.name() == Phase.Name.STANDBY && from.highest() < to.highest();
      case PREPARE:
        return to.cut().isPresent()
            ? from.name() == Phase.Name.PREPARE
                && !from.cut().isPresent()
                && from.highest() == to.highest()
            : from.name() == Phase.Name.STANDBY && from.highest() == to.highest();
      case COMMIT:
        return from.name() == Phase.Name.PREPARE && from.cut().equals(to.cut());
      case SEALED:
        return from.name() == Phase.Name.COMMIT && from.cut().equals(to.cut());
      case ABORT:
        return from.name() == Phase.Name.STANDBY || from.name() == Phase.Name.PREPARE;
      case STABLE:
        return isFinished || from.name() == Phase.Name.ABORT;
      default:
        return false;
    }
  }

  /** A job was deleted. */
  void deleted(SimulatedJob job) {
    HandoverRecord record = world.store.newest();
    require(!job.job.equals(record.active()), Law.I7, () -> job + " is active");
    boolean isWanted =
        incoming(record).equals(Optional.of(job.job)) && record.phase().name() != Phase.Name.ABORT;
    require(!isWanted, Law.I7, () -> job + " is coming in");
    if (job.wasActive) {
      for (Transaction transaction : job.live) {
        for (int id : transaction.records) {
          require(
              isLate(id),
              Law.I7,
              () -> job + " goes, and " + id + "@" + time(id) + " is not committed");
        }
      }
    }
  }

  /** A job restores the transactions of another. */
  void inherited(SimulatedJob job, Snapshot restored) {
    for (Transaction transaction : restored.transactions) {
      require(
          transaction.owner == job || transaction.state == Transaction.State.COMMITTED,
          Law.I12,
          () -> job + " takes a transaction of " + transaction.owner);
    }
  }

  /** Whether the active job has handled all its input, and everything is committed. */
  boolean isAtRest() {
    HandoverRecord record = world.store.newest();
    SimulatedJob active = world.find(record.active());
    if (record.phase().name() != Phase.Name.STABLE || active.run == null) {
      return false;
    }
    if (active.run.tasks == null || !active.live.isEmpty()) {
      return false;
    }
    Tasks tasks = active.run.tasks;
    for (int split = 0; split < tasks.positions.length; split++) {
      if (tasks.positions[split] < world.plan.splits.get(split).size()) {
        return false;
      }
    }
    for (GateTask task : tasks.gates) {
      boolean isEmpty = task.channels.values().stream().allMatch(it -> it.isEmpty());
      if (!isEmpty || !task.inbox.isEmpty() || !task.gate.state().kept().isEmpty()) {
        return false;
      }
    }
    return true;
  }

  private static void writtenOnce(SimulatedJob job, int gate, int id) {
    require(job.committed[gate][id] <= 1, Law.I1, () -> job + " has written " + id + " twice");
  }

  /** At the end: what both wrote together is what one job would have written. */
  void atTheEnd() {
    Plan plan = world.plan;
    boolean isBoth = plan.rules.lateRecords() == Rules.LateRecords.BOTH;
    for (int gate = 0; gate < plan.gates; gate++) {
      for (int id = 0; id < plan.times.length; id++) {
        int times = 0;
        for (SimulatedJob job : world.jobs) {
          times += job.committed[gate][id];
          writtenOnce(job, gate, id);
        }
        for (SimulatedJob job : gone) {
          times += job.committed[gate][id];
          writtenOnce(job, gate, id);
        }
        String where = " times in gate " + gate;
        int found = times;
        int number = id;
        Supplier<String> how = () -> number + "@" + time(number) + " is " + found + where;
        if (!isLate(id)) {
          require(times == 1, Law.I2, how);
        } else if (isBoth && plan.ordersAlike() && !hasGoneBack) {
          require(times >= 1, Law.LATE, how);
        }
      }
    }
  }
}
