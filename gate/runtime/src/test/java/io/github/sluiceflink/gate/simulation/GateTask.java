package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Coordinator;
import io.github.sluiceflink.gate.handover.Figures;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Gate;
import io.github.sluiceflink.gate.handover.GateOutput;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Situation;
import io.github.sluiceflink.gate.handover.Step;
import io.github.sluiceflink.gate.handover.Subtask;
import io.github.sluiceflink.gate.handover.SubtaskReport;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;

/** A subtask of a gate, with its channels before it and its sink behind it. */
final class GateTask implements GateOutput<Integer> {

  final Tasks tasks;
  final Subtask subtask;
  final Gate<Integer> gate;

  /** By the source that they come from. */
  final Map<Integer, ArrayDeque<Item>> channels = new HashMap<>();

  /** What it says to its coordinator, in order. */
  final ArrayDeque<Function<Situation, Step>> outbox = new ArrayDeque<>();

  /** What its coordinator tells it, in order. */
  final ArrayDeque<Orders> inbox = new ArrayDeque<>();

  /** Checkpoints that completed, as far as nobody told it yet. */
  final ArrayDeque<Long> notices = new ArrayDeque<>();

  boolean isFinished;

  /** Of the checkpoint that is under way. */
  boolean tookPart;

  final boolean[] hasBarrier;

  private final int[] senders;
  private final boolean isShuffled;
  private final int parallelism;
  private final long[] watermarks;
  private final boolean[] idle;
  private final boolean[] ended;
  private long watermark = Long.MIN_VALUE;
  private final BitSet emitted = new BitSet();
  private final BitSet dropped = new BitSet();
  private Transaction open;
  private final List<Transaction> pending = new ArrayList<>();

  GateTask(
      Tasks tasks,
      Subtask subtask,
      GateState<Integer> state,
      OptionalLong finished,
      boolean isShuffled) {
    SimulatedJob home = tasks.run.home;
    int sources = home.sources;
    this.tasks = tasks;
    this.subtask = subtask;
    this.isShuffled = isShuffled;
    this.parallelism = isShuffled ? home.parallelism[subtask.gate()] : sources;
    this.isFinished = finished.isPresent();
    this.watermarks = new long[sources];
    this.idle = new boolean[sources];
    this.ended = new boolean[sources];
    this.hasBarrier = new boolean[sources];
    this.senders = new int[isShuffled ? sources : 1];
    for (int sender = 0; sender < senders.length; sender++) {
      senders[sender] = isShuffled ? sender : subtask.index();
      watermarks[senders[sender]] = Long.MIN_VALUE;
      channels.put(senders[sender], new ArrayDeque<>());
    }
    this.gate = Gate.start(tasks.world.plan.rules, state, this);
    if (!isFinished) {
      outbox.add(situation -> Coordinator.onReady(situation, subtask));
    }
  }

  String channelName(int source) {
    return subtask + "<" + source;
  }

  void restoreChannels(Snapshot restored) {
    if (restored.unaligned) {
      channels.forEach(
          (source, channel) ->
              channel.addAll(restored.channels.getOrDefault(channelName(source), List.of())));
    }
  }

  boolean takes(int source, Item item) {
    if (!channels.containsKey(source)) {
      return false;
    }
    return item.kind != Item.Kind.RECORD || !isShuffled || item.id % parallelism == subtask.index();
  }

  /** Handles the next item of the channel from one source, if it may. */
  void handle(int sender) {
    int source = senders[sender % senders.length];
    ArrayDeque<Item> channel = channels.get(source);
    Snapshot current = tasks.current;
    boolean isAligning = current != null && !current.unaligned && hasBarrier[source] && !tookPart;
    boolean hasStopped = current != null && current.kind == Snapshot.Kind.STOP && tookPart;
    if (channel.isEmpty() || isAligning || hasStopped) {
      return;
    }
    Item item = channel.remove();
    if (item.kind == Item.Kind.BARRIER) {
      if (current != null && current.id == item.time) {
        hasBarrier[source] = true;
        takePartIfAligned();
      }
      return;
    }
    if (current != null && current.unaligned && tookPart && !hasBarrier[source]) {
      current.channels.computeIfAbsent(channelName(source), it -> new ArrayList<>()).add(item);
    }
    switch (item.kind) {
      case RECORD:
        idle[source] = false;
        tasks.world.laws.came(this, item);
        gate.onRecord(item.id, item.time);
        break;
      case WATERMARK:
        idle[source] = false;
        watermarks[source] = item.time;
        forwardWatermark();
        break;
      case IDLE:
        idle[source] = true;
        forwardWatermark();
        break;
      default:
        idle[source] = false;
        ended[source] = true;
        watermarks[source] = Long.MAX_VALUE;
        forwardWatermark();
        takePartIfAligned();
    }
  }

  private void forwardWatermark() {
    long lowest = Long.MAX_VALUE;
    boolean anyActive = false;
    for (int source : senders) {
      if (!idle[source]) {
        anyActive = true;
        lowest = Math.min(lowest, watermarks[source]);
      }
    }
    if (anyActive && lowest > watermark) {
      watermark = lowest;
      if (!isFinished) {
        gate.onWatermark(lowest);
      }
    }
  }

  private boolean isIdle() {
    for (int source : senders) {
      if (!idle[source]) {
        return false;
      }
    }
    return true;
  }

  /** At the end of its input it waits until it keeps nothing, and finishes. */
  void finishIfDone() {
    if (isFinished || !gate.orders().isPresent() || !gate.state().kept().isEmpty()) {
      return;
    }
    for (int source : senders) {
      if (!ended[source]) {
        return;
      }
    }
    boolean hasStopped =
        tasks.current != null && tasks.current.kind == Snapshot.Kind.STOP && tookPart;
    if (hasStopped) {
      return;
    }
    isFinished = true;
    long attempt = gate.orders().get().attempt();
    Finished finished = Finished.of(gate.emitted(), gate.dropped());
    tasks.world.say(() -> this + " finishes at " + gate.emitted());
    outbox.add(situation -> Coordinator.onFinished(situation, subtask, attempt, finished));
  }

  /** Takes part in the checkpoint that is under way, if all its barriers have come. */
  void takePartIfAligned() {
    Snapshot current = tasks.current;
    if (current == null || tookPart) {
      return;
    }
    boolean all = true;
    boolean any = false;
    for (int source : senders) {
      all &= ended[source] || hasBarrier[source];
      any |= hasBarrier[source];
    }
    if (!all && !(current.unaligned && any) && !isFinished) {
      return;
    }
    tookPart = true;
    if (!isFinished) {
      gate.onBarrier(current.id);
    }
    int index = subtask.index();
    current.states.get(subtask.gate()).set(index, gate.state());
    if (isFinished) {
      current.finished.get(subtask.gate()).set(index, OptionalLong.of(gate.emitted()));
    }
    current.emitted[subtask.gate()].or(emitted);
    current.dropped[subtask.gate()].or(dropped);
    if (open != null) {
      open.state = Transaction.State.PENDING;
      open.checkpoint = current.id;
      pending.add(open);
      open = null;
    }
    current.transactions.addAll(pending);
    current.awaited--;
  }

  /** It learns that a checkpoint completed. */
  void notice(long checkpoint) {
    for (Transaction transaction : new ArrayList<>(pending)) {
      if (transaction.checkpoint <= checkpoint) {
        pending.remove(transaction);
        // A transaction that somebody else has aborted fails, and is only counted.
        if (transaction.state == Transaction.State.PENDING) {
          tasks.run.home.commit(transaction);
        }
      }
    }
  }

  /** What it reports every second. */
  void report() {
    if (isFinished || !gate.orders().isPresent()) {
      return;
    }
    Orders orders = gate.orders().get();
    long attempt = orders.attempt();
    Figures figures =
        Figures.builder()
            .emitted(emitted.cardinality())
            .dropped(dropped.cardinality())
            .kept(gate.state().kept().size())
            .build();
    SubtaskReport report =
        SubtaskReport.of(
            orders.epoch(), gate.emitted(), gate.dropped(), gate.watermark(), isIdle(), figures);
    outbox.add(situation -> Coordinator.onReported(situation, subtask, attempt, report));
  }

  /** For the laws: what it has dropped since it started. */
  BitSet dropped() {
    return dropped;
  }

  @Override
  public void emit(Integer record) {
    tasks.world.say(() -> this + " emits " + record + "@" + tasks.world.plan.times[record]);
    emitted.set(record);
    if (tasks.run.isDeposed) {
      // Nobody will ever commit it.
      return;
    }
    if (open == null) {
      open = new Transaction(tasks.run.home, subtask.gate());
      tasks.run.home.live.add(open);
    }
    open.records.add(record);
    tasks.run.home.written[subtask.gate()][record]++;
    tasks.world.laws.emitted(this, record);
  }

  @Override
  public void drop(Integer record) {
    tasks.world.say(() -> this + " drops " + record + "@" + tasks.world.plan.times[record]);
    dropped.set(record);
    if (!tasks.run.isDeposed) {
      tasks.world.laws.dropped(this, record);
    }
  }

  @Override
  public void answer(long attempt, Answer answer) {
    tasks.world.say(() -> this + " answers " + answer);
    outbox.add(situation -> Coordinator.onAnswered(situation, subtask, attempt, answer));
  }

  @Override
  public void atBarrier(AtBarrier barrier) {
    outbox.add(situation -> Coordinator.onBarrier(situation, subtask, barrier));
  }

  @Override
  public String toString() {
    return tasks.run + " " + subtask;
  }
}
