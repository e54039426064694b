package io.github.sluiceflink.gate.twojobs;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What Sluice's operator does with a handover record, and no more: it writes the phases, each on
 * the condition of the version that it has read.
 */
final class Operator implements AutoCloseable, RecordStore.Listener {

  /** How long anything is waited for, on a machine that is busy with other handovers. */
  static final Duration PATIENCE = Duration.ofSeconds(240);

  /** A record in the version in which it was read. */
  record Seen(long version, HandoverRecord handover) {}

  private final RecordStore store;
  private final Consumer<String> log;
  private Optional<Seen> seen = Optional.empty();
  private Phase.Name lastTold;
  private long committedAt;

  /**
   * An operator.
   *
   * @param place where the record is
   * @param log is told each phase that stands in the record
   */
  Operator(RecordPlace place, Consumer<String> log) {
    this.log = log;
    store = place.open();
    store.watch(this);
  }

  @Override
  public synchronized void onRead(long version, HandoverRecord handover) {
    if (seen.isEmpty() || seen.get().version() < version) {
      seen = Optional.of(new Seen(version, handover));
      if (handover.phase().name() != lastTold) {
        lastTold = handover.phase().name();
        log.accept(handover.phase() + " of epoch " + handover.epoch());
      }
    }
    notifyAll();
  }

  @Override
  public void onAbsent() {}

  @Override
  public void onTrouble(String sentence) {}

  synchronized Optional<Seen> seen() {
    return seen;
  }

  /** Waits for the record to be so. */
  synchronized Seen await(String what, Predicate<HandoverRecord> isSo) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (seen.isEmpty() || !isSo.test(seen.get().handover())) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "Waited " + PATIENCE.toSeconds() + " s in vain for " + what + ": " + seen);
      }
      wait(50);
    }
    return seen.get();
  }

  /** Creates the record of a job that is active alone. */
  void create(Job active) throws Exception {
    store
        .put(
            0,
            HandoverRecord.builder()
                .epoch(active.createdFor())
                .phase(Phase.stable())
                .active(active)
                .incoming(OptionalLong.empty())
                .fork(Optional.empty())
                .deadline(Optional.empty())
                .reason(Optional.empty())
                .blue(Optional.empty())
                .green(Optional.empty())
                .build())
        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /**
   * Changes the record, as soon as it is so, on the condition of the version that is so. Another
   * writer's version in between makes it look again.
   */
  HandoverRecord change(
      String what, Predicate<HandoverRecord> when, Consumer<Map<String, String>> edit)
      throws Exception {
    while (true) {
      Seen read = await(what, when);
      HandoverRecord next = edited(read.handover(), edit);
      try {
        store.put(read.version(), next).get(10, TimeUnit.SECONDS);
        return next;
      } catch (ExecutionException | TimeoutException e) {
        Thread.sleep(20);
        // It may have been written all the same.
        Optional<Seen> now = seen();
        if (now.isPresent()
            && now.get().version() > read.version()
            && now.get().handover().epoch() == next.epoch()
            && now.get().handover().phase().name() == next.phase().name()
            && now.get().handover().active().equals(next.active())
            && !read.handover().phase().name().equals(next.phase().name())) {
          return now.get().handover();
        }
      }
    }
  }

  /** Replaces whatever stands there, as no operator does. Returns what stood there. */
  HandoverRecord replace(Consumer<Map<String, String>> edit) throws Exception {
    while (true) {
      Seen read = seen().orElseThrow();
      try {
        store.put(read.version(), edited(read.handover(), edit)).get(10, TimeUnit.SECONDS);
        return read.handover();
      } catch (ExecutionException e) {
        Thread.sleep(20);
      }
    }
  }

  /** Replaces whatever stands there by this. */
  void replace(HandoverRecord handover) throws Exception {
    Map<String, String> wanted = RecordCodec.encode(handover);
    replace(
        data -> {
          data.clear();
          data.putAll(wanted);
        });
  }

  private static HandoverRecord edited(HandoverRecord read, Consumer<Map<String, String>> edit)
      throws UnreadableRecordException {
    Map<String, String> data = new TreeMap<>(RecordCodec.encode(read));
    edit.accept(data);
    return RecordCodec.decode(data);
  }

  /** A new epoch: the incoming job was forked off here. */
  void standby(Job incoming, long checkpoint) throws Exception {
    change(
        "the active job's attempt",
        it -> it.report(it.active().color()).isPresent(),
        data -> {
          long attempt = attemptOf(data, incoming.color().other());
          data.put("epoch", Long.toString(incoming.createdFor()));
          data.put("phase", "STANDBY");
          data.put("incoming-created-for", Long.toString(incoming.createdFor()));
          data.put("fork-checkpoint", Long.toString(checkpoint));
          data.put("fork-attempt", Long.toString(attempt));
          data.remove("cut");
          data.remove("highest");
          data.remove("reason");
        });
  }

  private static long attemptOf(Map<String, String> data, Color color) {
    try {
      return RecordCodec.decode(data).report(color).map(Report::attempt).orElse(0L);
    } catch (UnreadableRecordException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Waits until PREPARE may be written: the incoming job is up and has caught up to within so much.
   */
  void awaitReady(long caughtUpWithin) throws Exception {
    await(
        "the incoming job to be ready",
        it -> {
          Optional<Report> outgoing = it.report(it.active().color());
          Optional<Report> incoming = it.report(it.active().color().other());
          if (it.phase().name() != Phase.Name.STANDBY
              || outgoing.isEmpty()
              || incoming.isEmpty()
              || incoming.get().createdFor() != it.incoming().orElse(-1)) {
            return false;
          }
          boolean newer = outgoing.get().completed().orElse(0) > it.fork().get().checkpoint();
          long behind = outgoing.get().gates().watermark() - incoming.get().gates().watermark();
          return newer
              && outgoing.get().gates().allReporting()
              && incoming.get().gates().allReporting()
              && behind >= 0 - caughtUpWithin - 10_000_000
              && behind <= caughtUpWithin;
        });
    noneOlderThanTheFork();
  }

  /** A job that went back behind the fork would make the handover start over. */
  private void noneOlderThanTheFork() {
    HandoverRecord now = seen().orElseThrow().handover();
    long fork = now.fork().orElseThrow().checkpoint();
    now.report(now.active().color())
        .orElseThrow()
        .restores()
        .forEach(
            restore -> {
              if (restore.attempt() > now.fork().get().attempt()
                  && restore.checkpoint().orElse(0) < fork) {
                throw new AssertionError("The outgoing job went back behind the fork: " + now);
              }
            });
  }

  void prepare() throws Exception {
    change(
        "STANDBY",
        it -> it.phase().name() == Phase.Name.STANDBY,
        data -> data.put("phase", "PREPARE"));
  }

  /** Waits for W. */
  long awaitCut() throws Exception {
    return await(
            "the cut",
            it -> {
              failIfAborted(it);
              return it.phase().cut().isPresent();
            })
        .handover()
        .phase()
        .cut()
        .getAsLong();
  }

  private static void failIfAborted(HandoverRecord handover) {
    if (handover.phase().name() == Phase.Name.ABORT) {
      throw new AssertionError("The handover was given up: " + handover.reason());
    }
  }

  void commit() throws Exception {
    change(
        "the cut",
        it -> {
          failIfAborted(it);
          return it.phase().name() == Phase.Name.PREPARE && it.phase().cut().isPresent();
        },
        data -> data.put("phase", "COMMIT"));
    committedAt = System.currentTimeMillis();
  }

  /** When COMMIT was written, in milliseconds since 1970. */
  long committedAt() {
    return committedAt;
  }

  /** Waits until every gate of this colour's job has passed the cut. */
  void awaitPassed(Color color) throws Exception {
    await(
        color + " to pass the cut",
        it ->
            it.report(color)
                .flatMap(Report::passed)
                .filter(passed -> passed.epoch() == it.epoch())
                .isPresent());
  }

  void seal() throws Exception {
    change(
        "COMMIT",
        it -> it.phase().name() == Phase.Name.COMMIT,
        data -> data.put("phase", "SEALED"));
  }

  /** The incoming job becomes the active one. */
  void stable(Job active) throws Exception {
    change(
        "SEALED",
        it -> it.phase().name() == Phase.Name.SEALED,
        data -> {
          data.put("phase", "STABLE");
          data.put("active", active.color().name());
          data.put("active-created-for", Long.toString(active.createdFor()));
          data.remove("incoming-created-for");
          data.remove("fork-checkpoint");
          data.remove("fork-attempt");
          data.remove("cut");
          data.remove("highest");
        });
  }

  /** Gives the handover up. */
  void abort(String why) throws Exception {
    change(
        "STANDBY or PREPARE",
        it -> it.phase().name() == Phase.Name.STANDBY || it.phase().name() == Phase.Name.PREPARE,
        data -> {
          data.put("phase", "ABORT");
          data.put("reason", "{\"kind\":\"OPERATOR\",\"why\":\"" + why + "\"}");
        });
  }

  /** After an abort, the outgoing job is the active one, and the only one. */
  void stableAgain() throws Exception {
    change(
        "ABORT",
        it -> it.phase().name() == Phase.Name.ABORT,
        data -> {
          data.put("phase", "STABLE");
          data.remove("incoming-created-for");
          data.remove("fork-checkpoint");
          data.remove("fork-attempt");
          data.remove("reason");
        });
  }

  /** Strategy SAVEPOINT: says which job is the active one, and where it starts from. */
  void makeActive(Job active, long epoch, String savepoint) throws Exception {
    change(
        "STABLE",
        it -> it.phase().name() == Phase.Name.STABLE,
        data -> {
          data.put("epoch", Long.toString(epoch));
          data.put("active", active.color().name());
          data.put("active-created-for", Long.toString(active.createdFor()));
          data.put("savepoint", savepoint);
        });
  }

  @Override
  public void close() {
    store.close();
  }
}
