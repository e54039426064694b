package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Subtask;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** All tasks of one attempt of a job: sources, channels, gates with their sinks. */
final class Tasks {

  final World world;
  final Run run;
  final Source[] sources;
  final List<GateTask> gates = new ArrayList<>();

  /** How much of each split was handled. */
  final int[] positions;

  /** For the laws: what each gate had emitted and dropped in what was restored. */
  final BitSet[] emitted;

  final BitSet[] dropped;

  /** The checkpoint that is under way. */
  Snapshot current;

  private final boolean[] barrierAwaited;

  Tasks(World world, Run run, Snapshot restored) {
    Plan plan = world.plan;
    SimulatedJob home = run.home;
    this.world = world;
    this.run = run;
    this.positions = new int[plan.splits.size()];
    this.emitted = new BitSet[plan.gates];
    this.dropped = new BitSet[plan.gates];
    this.sources = new Source[home.sources];
    this.barrierAwaited = new boolean[home.sources];
    if (restored != null) {
      System.arraycopy(restored.positions, 0, positions, 0, positions.length);
    }
    for (int gate = 0; gate < plan.gates; gate++) {
      emitted[gate] = restored == null ? new BitSet() : (BitSet) restored.emitted[gate].clone();
      dropped[gate] = restored == null ? new BitSet() : (BitSet) restored.dropped[gate].clone();
      if (restored == home.origin) {
        // What came before the fork is no affair of this job.
        emitted[gate].or(dropped[gate]);
        dropped[gate].clear();
      }
      int parallelism = plan.shuffled[gate] ? home.parallelism[gate] : home.sources;
      List<GateState<Integer>> before = restored == null ? List.of() : restored.states.get(gate);
      List<GateState<Integer>> states = GateState.restore(before, parallelism);
      for (int index = 0; index < parallelism; index++) {
        OptionalLong highest =
            before.size() == parallelism
                ? restored.finished.get(gate).get(index)
                : OptionalLong.empty();
        Subtask subtask = Subtask.of(gate, index);
        gates.add(new GateTask(this, subtask, states.get(index), highest, plan.shuffled[gate]));
      }
    }
    for (int index = 0; index < sources.length; index++) {
      sources[index] = new Source(this, index);
    }
    if (restored != null) {
      for (GateTask gate : gates) {
        gate.restoreChannels(restored);
      }
    }
    for (Source source : sources) {
      source.begin();
    }
  }

  /** What the coordinator is told of the subtasks. */
  Map<Subtask, Optional<Finished>> subtasks() {
    Map<Subtask, Optional<Finished>> subtasks = new HashMap<>();
    for (GateTask gate : gates) {
      subtasks.put(
          gate.subtask,
          gate.isFinished
              ? Optional.of(Finished.of(gate.gate.emitted(), gate.gate.dropped()))
              : Optional.empty());
    }
    return subtasks;
  }

  /** The channels from this source that a record, or everything else, is sent on. */
  void send(int source, Item item) {
    for (GateTask gate : gates) {
      if (gate.takes(source, item)) {
        gate.channels.get(source).add(item);
      }
    }
  }

  /** Begins a checkpoint. */
  boolean trigger(Snapshot.Kind kind) {
    if (current != null || run.isDeposed) {
      return false;
    }
    Plan plan = world.plan;
    boolean unaligned = plan.unaligned && kind == Snapshot.Kind.CHECKPOINT;
    current =
        new Snapshot(run.home.nextCheckpoint++, kind, unaligned, plan.splits.size(), plan.gates);
    for (int gate = 0; gate < plan.gates; gate++) {
      current.emitted[gate].or(emitted[gate]);
      current.dropped[gate].or(dropped[gate]);
      current.states.add(new ArrayList<>());
      current.finished.add(new ArrayList<>());
    }
    for (GateTask gate : gates) {
      current.states.get(gate.subtask.gate()).add(null);
      current.finished.get(gate.subtask.gate()).add(OptionalLong.empty());
      gate.tookPart = false;
      Arrays.fill(gate.hasBarrier, false);
    }
    current.awaited = sources.length + gates.size();
    for (Source source : sources) {
      barrierAwaited[source.index] = !source.isEnded;
      if (source.isEnded) {
        notePositions(source);
        if (unaligned) {
          captureEnded(source);
        }
      }
    }
    for (GateTask gate : new ArrayList<>(gates)) {
      gate.takePartIfAligned();
    }
    return true;
  }

  /**
   * No barrier comes any more from a source that has ended; what it sent may still be on its way.
   */
  private void captureEnded(Source source) {
    for (GateTask gate : gates) {
      ArrayDeque<Item> channel = gate.channels.get(source.index);
      if (channel != null) {
        gate.hasBarrier[source.index] = true;
        current.channels.put(gate.channelName(source.index), new ArrayList<>(channel));
      }
    }
  }

  private void notePositions(Source source) {
    for (int split : source.splits) {
      current.positions[split] = positions[split];
    }
    current.awaited--;
  }

  boolean awaitsBarrierOf(Source source) {
    return current != null && barrierAwaited[source.index];
  }

  /** The checkpoint comes to a source. */
  void sourceBarrier(Source source) {
    barrierAwaited[source.index] = false;
    notePositions(source);
    for (GateTask gate : gates) {
      ArrayDeque<Item> channel = gate.channels.get(source.index);
      if (channel == null) {
        continue;
      }
      if (current.unaligned) {
        List<Item> captured =
            current.channels.computeIfAbsent(
                gate.channelName(source.index), it -> new ArrayList<>());
        for (Item item : channel) {
          if (item.kind != Item.Kind.BARRIER) {
            captured.add(item);
          }
        }
        channel.addFirst(Item.barrier(current.id));
      } else {
        channel.add(Item.barrier(current.id));
      }
    }
  }

  /** Whether this source stands still, because the job is being stopped. */
  boolean hasStopped(Source source) {
    return current != null && current.kind == Snapshot.Kind.STOP && !barrierAwaited[source.index];
  }

  /** The checkpoint fails. */
  void cancel() {
    boolean wasStopping = current.kind == Snapshot.Kind.STOP;
    current = null;
    if (wasStopping) {
      run.die();
    }
  }
}
