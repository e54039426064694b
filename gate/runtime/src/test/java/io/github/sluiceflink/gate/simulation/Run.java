package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Action;
import io.github.sluiceflink.gate.handover.Coordinator;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Situation;
import io.github.sluiceflink.gate.handover.Step;
import io.github.sluiceflink.gate.handover.Subtask;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The life of one JobManager, with the tasks that it has started. */
final class Run {

  private final World world;
  final SimulatedJob home;
  private final long incarnation;
  private Situation situation;

  /** Null while no task runs. */
  Tasks tasks;

  /** Another JobManager has its job; it may not know yet. */
  boolean isDeposed;

  /** It is gone for good. */
  boolean isDead;

  /** What Flink tells the coordinator, in order. */
  private final ArrayDeque<Function<Situation, Step>> inbox = new ArrayDeque<>();

  /** What tasks that are gone have said. */
  private final List<Function<Situation, Step>> strays = new ArrayList<>();

  Run(World world, SimulatedJob home, long incarnation) {
    this.world = world;
    this.home = home;
    this.incarnation = incarnation;
    this.situation = Situation.initial(home.job, incarnation, world.plan.maxCutLead, Map.of());
  }

  /** All its tasks start from what can be restored. */
  void start() {
    Snapshot restored = home.restorable();
    world.restoreSinks(home, restored);
    if (world.plan.rescales && world.random.nextInt(3) == 0) {
      world.rescale(home);
    }
    tasks = new Tasks(world, this, restored);
    world.say(() -> this + " starts from " + Snapshot.id(restored));
    Map<Subtask, Optional<Finished>> subtasks = tasks.subtasks();
    hear(it -> Coordinator.onStarted(it, Snapshot.id(restored), subtasks));
  }

  /** All its tasks die. */
  void die() {
    for (GateTask gate : tasks.gates) {
      if (world.random.nextBoolean()) {
        strays.addAll(gate.outbox);
      }
    }
    tasks = null;
  }

  /** The checkpoint that is under way completes, if everybody took part. */
  void complete() {
    Snapshot current = tasks.current;
    if (isDeposed || current == null || current.awaited > 0) {
      return;
    }
    tasks.current = null;
    world.laws.completed(this, current);
    world.say(() -> this + " completes " + current.kind + " " + current.id);
    switch (current.kind) {
      case CHECKPOINT:
        home.latest = current;
        inbox.add(it -> Coordinator.onCompleted(it, current.id));
        for (GateTask gate : tasks.gates) {
          gate.notices.add(current.id);
        }
        break;
      case SAVEPOINT:
        world.driver.hasSavepoint(home, current);
        break;
      default:
        home.latest = current;
        world.restoreSinks(home, current);
        home.isStopped = true;
        isDead = true;
        tasks = null;
    }
  }

  /** Whether its coordinator holds an attempt. */
  boolean holdsAttempt() {
    return situation.standing().attempt().isPresent();
  }

  long incarnation() {
    return incarnation;
  }

  void hear(Function<Situation, Step> message) {
    Step step = message.apply(situation);
    situation = step.situation();
    for (Action action : step.actions()) {
      if (action.kind() == Action.Kind.WRITE) {
        Action.Write write = action.getWrite();
        world.say(() -> this + " wants " + write);
        world.network.add(
            new Write(
                this,
                write.expected(),
                situation.seen().get().handover().with(home.job.color(), write.change())));
      } else if (tasks != null) {
        Action.Tell tell = action.getTell();
        world.say(() -> this + " tells " + tell);
        for (GateTask gate : tasks.gates) {
          if (!tell.subtask().isPresent() || tell.subtask().get().equals(gate.subtask)) {
            gate.inbox.add(tell.orders());
          }
        }
      }
    }
  }

  /** One message comes to the coordinator: from Flink, or from a subtask. */
  void hearOne() {
    int choice = world.random.nextInt(8);
    if (choice == 0 && !strays.isEmpty()) {
      hear(strays.remove(world.random.nextInt(strays.size())));
    } else if (choice < 3 && !inbox.isEmpty()) {
      hear(inbox.remove());
    } else if (tasks != null) {
      GateTask gate = tasks.gates.get(world.random.nextInt(tasks.gates.size()));
      if (!gate.outbox.isEmpty()) {
        hear(gate.outbox.remove());
      }
    }
  }

  /** Everything that is on its way to the coordinator comes. */
  void hearAll() {
    strays.clear();
    if (tasks != null) {
      for (GateTask gate : tasks.gates) {
        while (!gate.outbox.isEmpty()) {
          hear(gate.outbox.remove());
        }
      }
    }
    while (!inbox.isEmpty()) {
      hear(inbox.remove());
    }
  }

  @Override
  public String toString() {
    return home + "#" + incarnation + (isDeposed ? " (deposed)" : "");
  }
}
