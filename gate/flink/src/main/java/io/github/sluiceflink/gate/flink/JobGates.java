package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Action;
import io.github.sluiceflink.gate.handover.Coordinator;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.handover.Seen;
import io.github.sluiceflink.gate.handover.Situation;
import io.github.sluiceflink.gate.handover.Standing;
import io.github.sluiceflink.gate.handover.Step;
import io.github.sluiceflink.gate.handover.Subtask;
import io.github.sluiceflink.gate.handover.Told;
import io.github.sluiceflink.gate.record.RecordStore;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator.SubtaskGateway;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All gates of one job in its JobManager: one thread, one watch of the record, one {@link
 * Situation}, whatever the number of gates and their parallelism. What follows from a message is
 * decided by {@link Coordinator}; it is carried out here.
 *
 * <p>The coordinators of a new execution of the job may be made before those of the old one are
 * closed. So each gate has one coordinator that counts, the last that came, and this lives as long
 * as any.
 */
final class JobGates {

  private static final Logger LOG = LoggerFactory.getLogger(JobGates.class);

  /** How long a request is kept waiting: clearly less than the time after which Flink fails it. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(4);

  /** How long a start waits for the other subtasks that start with it. */
  private static final Duration GATHERING = Duration.ofMillis(20);

  /** Of an incarnation; the rest is the time in milliseconds. */
  private static final int RANDOM_BITS = 20;

  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private static final Map<String, JobGates> ALL = new HashMap<>();

  private final String injection;
  private final GateOptions options;
  private final Job job;
  private final int gates;
  private final ScheduledExecutorService thread;
  private final RecordStore store;

  /** How many coordinators hold this; guarded by {@link #ALL}. */
  private int holders;

  // What follows is for the thread only.

  private final SortedMap<Integer, GateSlot> slots = new TreeMap<>();
  private final SortedMap<Integer, String> names = new TreeMap<>();
  private Situation situation;

  /** The record as it was read last; it outlives a situation. */
  private Seen record;

  /** What the tasks that start restore; null while none do. */
  private OptionalLong starting;

  /** It was deposed, and has waited long enough to be the one that is left. */
  private boolean mayReturn;

  private Future<?> gathering;
  private Future<?> publishing;
  private Future<?> holding;
  private long heldEpoch = -1;
  private long lastCompleted = -1;
  private long number;
  private Duration pause = SHORTEST_PAUSE;

  private JobGates(GateOptions options, GatePlace place) {
    this.injection = place.injection();
    this.options = options;
    this.job = options.job();
    this.gates = place.gates();
    this.store = options.recordPlace().open();
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread created = new Thread(task, "gates-" + job.color());
              created.setDaemon(true);
              return created;
            });
    executor.setRemoveOnCancelPolicy(true);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    this.thread = Executors.unconfigurableScheduledExecutorService(executor);
  }

  /** The gates of a job, for one coordinator more. */
  static JobGates join(GateOptions options, GatePlace place) {
    synchronized (ALL) {
      JobGates gates = ALL.get(place.injection());
      if (gates == null) {
        gates = new JobGates(options, place);
        ALL.put(place.injection(), gates);
        gates.store.watch(gates.new Watching());
      }
      gates.holders++;
      return gates;
    }
  }

  /** A coordinator is closed. */
  void leave(GateCoordinator coordinator) {
    run(
        () -> {
          GateSlot slot = slots.get(coordinator.place().gate());
          if (slot != null && slot.coordinator == coordinator) {
            slot.disconnectAll();
            slots.remove(slot.gate);
          }
        });
    synchronized (ALL) {
      holders--;
      if (holders == 0) {
        ALL.remove(injection, this);
        store.close();
        thread.shutdown();
      }
    }
  }

  /** Runs in the thread what must not fail; if it does, the job starts over. */
  private void run(Runnable task) {
    try {
      thread.execute(() -> guarded(task));
    } catch (RejectedExecutionException e) {
      LOG.debug("the gates of {} are closed", job);
    }
  }

  private Future<?> schedule(Runnable task, Duration delay) {
    return thread.schedule(() -> guarded(task), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("the gates of {} failed", job, e);
      failJob("the gates of the job failed: " + e);
    }
  }

  // ---------------------------------------------------------------- what Flink says

  void onStarted(GateCoordinator coordinator, OptionalLong restored, FinishedMarks finished) {
    run(
        () -> {
          GateSlot slot = new GateSlot(coordinator, finished);
          GateSlot before = slots.put(slot.gate, slot);
          names.put(slot.gate, coordinator.place().sink());
          if (before != null) {
            // A new execution of the whole job: the others are not those that count, either.
            before.disconnectAll();
            slots.values().removeIf(it -> it != slot);
          }
          starts(restored);
        });
  }

  void onReset(GateCoordinator coordinator, OptionalLong restored, FinishedMarks finished) {
    run(
        () ->
            of(coordinator)
                .ifPresent(
                    slot -> {
                      slot.disconnectAll();
                      slot.finished = finished;
                      starts(restored);
                    }));
  }

  void onSubtaskReset(GateCoordinator coordinator, int subtask, long checkpoint) {
    run(
        () ->
            of(coordinator)
                .ifPresent(
                    slot -> {
                      slot.disconnect(subtask, Integer.MAX_VALUE);
                      slot.finished.reset(subtask, checkpoint, slot.parallelism);
                      starts(GateCoordinator.restoredFrom(checkpoint));
                    }));
  }

  void onReady(GateCoordinator coordinator, int subtask, int execution, SubtaskGateway gateway) {
    run(
        () ->
            of(coordinator)
                .ifPresent(
                    slot -> {
                      gathered();
                      slot.connections.put(subtask, new GateSlot.Connection(execution, gateway));
                      if (situation != null) {
                        isThere(slot.subtask(subtask));
                      }
                    }));
  }

  void onFailed(GateCoordinator coordinator, int subtask, int execution) {
    run(() -> of(coordinator).ifPresent(slot -> slot.disconnect(subtask, execution)));
  }

  void onEvent(GateCoordinator coordinator, int subtask, int execution, GateEvent event) {
    run(
        () ->
            of(coordinator)
                .filter(slot -> isPresent(slot, subtask, execution))
                .ifPresent(
                    slot -> {
                      gathered();
                      if (situation != null) {
                        onEvent(slot, slot.subtask(subtask), event);
                      }
                    }));
  }

  /** Whether this is not an execution that another has followed. */
  private static boolean isPresent(GateSlot slot, int subtask, int execution) {
    GateSlot.Connection connection = slot.connections.get(subtask);
    return connection == null || connection.execution <= execution;
  }

  private void onEvent(GateSlot slot, Subtask subtask, GateEvent event) {
    if (event instanceof GateEvent.Answering) {
      GateEvent.Answering it = (GateEvent.Answering) event;
      take(Coordinator.onAnswered(situation, subtask, it.attempt, it.answer));
    } else if (event instanceof GateEvent.Standing) {
      take(Coordinator.onBarrier(situation, subtask, ((GateEvent.Standing) event).barrier));
    } else if (event instanceof GateEvent.Reporting) {
      GateEvent.Reporting it = (GateEvent.Reporting) event;
      take(Coordinator.onReported(situation, subtask, it.attempt, it.report));
    } else if (event instanceof GateEvent.Finishing) {
      GateEvent.Finishing it = (GateEvent.Finishing) event;
      slot.finished.put(subtask.index(), it.finished);
      take(Coordinator.onFinished(situation, subtask, it.attempt, it.finished));
    }
  }

  CompletableFuture<CoordinationResponse> onRequest(
      GateCoordinator coordinator, OrdersRequest request) {
    CompletableFuture<CoordinationResponse> response = new CompletableFuture<>();
    run(
        () -> {
          Optional<GateSlot> slot = of(coordinator);
          if (!slot.isPresent()) {
            response.complete(OrdersRequest.response(Optional.empty()));
            return;
          }
          gathered();
          Optional<Orders> told =
              Optional.ofNullable(situation).flatMap(Situation::told).filter(it -> !isDeposed());
          if (told.isPresent() && number > request.after) {
            response.complete(
                OrdersRequest.response(Optional.of(new GateEvent.Telling(number, told.get()))));
          } else {
            slot.get().await(request, response);
            schedule(() -> slot.get().giveUp(request), LONGEST_WAIT);
          }
        });
    return response;
  }

  void onCheckpoint(
      GateCoordinator coordinator, long checkpoint, CompletableFuture<byte[]> result) {
    run(
        () ->
            result.complete(
                of(coordinator)
                    .map(it -> it.finished)
                    .orElseGet(FinishedMarks::new)
                    .write(checkpoint)));
  }

  /** A checkpoint has completed; Flink says it to each gate. */
  void onCompleted(GateCoordinator coordinator, long checkpoint) {
    run(
        () ->
            of(coordinator)
                .filter(it -> checkpoint != lastCompleted)
                .ifPresent(
                    slot -> {
                      gathered();
                      lastCompleted = checkpoint;
                      if (situation != null) {
                        take(Coordinator.onCompleted(situation, checkpoint));
                      }
                    }));
  }

  private Optional<GateSlot> of(GateCoordinator coordinator) {
    return Optional.ofNullable(slots.get(coordinator.place().gate()))
        .filter(it -> it.coordinator == coordinator);
  }

  // ---------------------------------------------------------------- starts

  /** Tasks start. Those that start together are one attempt. */
  private void starts(OptionalLong restored) {
    if (starting != null && !starting.equals(restored)) {
      gathered();
    }
    starting = restored;
    if (slots.size() == gates && gathering == null) {
      gathering = schedule(this::gathered, GATHERING);
    }
  }

  /** Everything that started with it is there, or something else came after it. */
  private void gathered() {
    if (starting == null || slots.size() < gates) {
      return;
    }
    if (gathering != null) {
      gathering.cancel(false);
      gathering = null;
    }
    OptionalLong restored = starting;
    starting = null;
    lastCompleted = -1;
    heldEpoch = -1;
    SortedMap<Subtask, Optional<Finished>> subtasks = new TreeMap<>();
    slots.values().forEach(slot -> slot.forEachSubtask(subtasks::put));
    if (situation == null || mayReturn) {
      mayReturn = false;
      long incarnation = situation == null ? incarnation() : laterThanAll();
      situation = Situation.initial(job, incarnation, maxCutLead(), Map.copyOf(names));
      take(Coordinator.onStarted(situation, restored, subtasks));
      if (record != null) {
        take(Coordinator.onRead(situation, record.version(), record.handover()));
      }
    } else {
      take(Coordinator.onStarted(situation, restored, subtasks));
    }
    slots
        .values()
        .forEach(slot -> slot.connections.keySet().forEach(index -> isThere(slot.subtask(index))));
  }

  private void isThere(Subtask subtask) {
    take(Coordinator.onReady(situation, subtask));
  }

  /** Later lives have larger ones, and hardly two that begin in the same millisecond the same. */
  private static long incarnation() {
    return System.currentTimeMillis() << RANDOM_BITS | new SecureRandom().nextInt(1 << RANDOM_BITS);
  }

  /**
   * It was deposed, and its JobManager is still there: so it is the others that are gone, whatever
   * their clocks said.
   */
  private long laterThanAll() {
    long last =
        Optional.ofNullable(record)
            .flatMap(it -> it.handover().report(job.color()))
            .map(Report::incarnation)
            .orElse(0L);
    return Math.max(incarnation(), last + 1);
  }

  private long maxCutLead() {
    return options.maxCutLead().toMillis();
  }

  // ---------------------------------------------------------------- what the record says

  private final class Watching implements RecordStore.Listener {
    @Override
    public void onRead(long version, HandoverRecord handover) {
      run(() -> read(version, handover));
    }

    @Override
    public void onAbsent() {
      LOG.warn(
          "there is no handover record in {}; the gates of {} wait", options.recordPlace(), job);
    }

    @Override
    public void onTrouble(String sentence) {
      LOG.warn("the handover record of {}: {}", job, sentence);
    }
  }

  private void read(long version, HandoverRecord handover) {
    if (record == null || version > record.version()) {
      record = Seen.of(version, handover);
    }
    if (situation != null) {
      take(Coordinator.onRead(situation, version, handover));
    }
  }

  // ---------------------------------------------------------------- what is to be done

  private void take(Step step) {
    Standing.Kind before = situation.standing().kind();
    situation = step.situation();
    for (Action action : step.actions()) {
      if (action.kind() == Action.Kind.WRITE) {
        write(action.getWrite());
      } else {
        tell(action.getTell());
      }
    }
    Standing.Kind after = situation.standing().kind();
    if (after != before && after == Standing.Kind.HOLDS) {
      rememberFinished();
    }
    if (after != before && after == Standing.Kind.DEPOSED) {
      onDeposed();
    }
    setTimers();
  }

  /**
   * A JobManager that was replaced without knowing it learns it from Flink, and is gone by the end
   * of this wait. One that is still there then is the real one.
   */
  private void onDeposed() {
    LOG.warn(
        "another JobManager has taken over the gates of {}; if this one is still there in {}, the"
            + " job starts over",
        job,
        options.deposedTimeout());
    schedule(
        () -> {
          if (isDeposed()) {
            mayReturn = true;
            failJob(
                "another JobManager has taken over the gates of "
                    + job
                    + ": the handover record names a later attempt than this one's");
          }
        },
        options.deposedTimeout());
  }

  /** What subtasks said of their end while no attempt was held holds for the new one, too. */
  private void rememberFinished() {
    long attempt = situation.standing().attempt().getAsLong();
    for (GateSlot slot : slots.values()) {
      slot.forEachSubtask(
          (subtask, finished) ->
              finished
                  .filter(it -> isUnknown(subtask))
                  .ifPresent(it -> take(Coordinator.onFinished(situation, subtask, attempt, it))));
    }
  }

  private boolean isUnknown(Subtask subtask) {
    return situation.subtasks().containsKey(subtask)
        && !situation.subtasks().get(subtask).finished().isPresent();
  }

  private boolean isDeposed() {
    return situation.standing().kind() == Standing.Kind.DEPOSED;
  }

  private void failJob(String sentence) {
    slots.values().stream().findFirst().ifPresent(it -> it.coordinator.failJob(sentence));
  }

  private void tell(Action.Tell tell) {
    if (!tell.subtask().isPresent()) {
      number++;
      GateEvent.Telling telling = new GateEvent.Telling(number, tell.orders());
      slots.values().forEach(it -> it.sendAll(telling));
      return;
    }
    Subtask subtask = tell.subtask().get();
    GateSlot slot = slots.get(subtask.gate());
    if (slot != null) {
      slot.send(subtask.index(), new GateEvent.Telling(number, tell.orders()));
    }
  }

  private void write(Action.Write write) {
    HandoverRecord read = situation.seen().get().handover();
    store
        .write(write.expected(), read, job.color(), write.change())
        .whenComplete(
            (version, failure) ->
                run(
                    () -> {
                      if (failure == null) {
                        pause = SHORTEST_PAUSE;
                        // What was written is what is there; the watch would say the same later.
                        read(version, read.with(job.color(), write.change()));
                      } else {
                        onWriteFailed(write.expected(), failure);
                      }
                    }));
  }

  private void onWriteFailed(long expected, Throwable failure) {
    LOG.info(
        "a write to the handover record of {} failed, and is made again: {}", job, failure + "");
    schedule(
        () -> {
          if (situation.writing().equals(OptionalLong.of(expected))) {
            take(Coordinator.onWriteFailed(situation));
          }
        },
        pause);
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
  }

  // ---------------------------------------------------------------- time

  /** Publishing while a handover is under way, and the end of holding in PREPARE. */
  private void setTimers() {
    Optional<Phase> phase = phase();
    boolean underWay =
        phase.isPresent()
            && phase.get().name() != Phase.Name.STABLE
            && phase.get().name() != Phase.Name.ABORT;
    if (underWay && publishing == null) {
      publishing = schedule(this::publish, options.reportInterval());
    } else if (!underWay && publishing != null) {
      publishing.cancel(false);
      publishing = null;
    }
    boolean prepares = phase.isPresent() && phase.get().name() == Phase.Name.PREPARE;
    long epoch = prepares ? situation.seen().get().handover().epoch() : -1;
    if (epoch != heldEpoch) {
      heldEpoch = epoch;
      if (holding != null) {
        holding.cancel(false);
        holding = null;
      }
      if (prepares) {
        holding = schedule(this::heldTooLong, options.holdTimeout());
      }
    }
  }

  /** Where the handover stands for this job, if it is one of the two. */
  private Optional<Phase> phase() {
    return situation.seen().map(it -> it.handover().told(job)).flatMap(Told::phase);
  }

  private void publish() {
    publishing = null;
    take(Coordinator.onPublishDue(situation));
  }

  private void heldTooLong() {
    holding = null;
    take(Coordinator.onHoldTimeout(situation));
  }
}
