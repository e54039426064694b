package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** The operator's side of a handover record in a directory, as far as a test plays it. */
final class TestRecord implements AutoCloseable {

  static final Job BLUE = Job.of(Color.BLUE, 1);
  static final Job GREEN = Job.of(Color.GREEN, 2);

  private final RecordStore store;
  private final AtomicReference<Version> newest = new AtomicReference<>(new Version(0, null));
  private volatile String trouble = "";

  private static final class Version {
    final long number;
    final HandoverRecord handover;

    Version(long number, HandoverRecord handover) {
      this.number = number;
      this.handover = handover;
    }
  }

  TestRecord(Path directory) {
    store = RecordPlace.directory(directory.toString()).open();
    store.watch(
        new RecordStore.Listener() {
          @Override
          public void onRead(long version, HandoverRecord handover) {
            newest.set(new Version(version, handover));
          }

          @Override
          public void onAbsent() {}

          @Override
          public void onTrouble(String sentence) {
            trouble = sentence;
          }
        });
  }

  /** Creates the record: blue is active, and no handover is under way. */
  void create() throws Exception {
    store
        .put(
            0,
            HandoverRecord.builder()
                .epoch(1)
                .phase(Phase.stable())
                .active(BLUE)
                .incoming(OptionalLong.empty())
                .build())
        .get();
  }

  /** Writes what the operator writes; again if somebody wrote in between. */
  void write(UnaryOperator<HandoverRecord> change) throws Exception {
    while (true) {
      Version read = newest.get();
      try {
        store.put(read.number, change.apply(read.handover)).get();
        return;
      } catch (ExecutionException e) {
        Thread.sleep(20);
      }
    }
  }

  /** A handover to green begins, in the second epoch. */
  void standby() throws Exception {
    write(
        it ->
            copy(it, Phase.standby(Long.MIN_VALUE))
                .epoch(2)
                .incoming(OptionalLong.of(GREEN.createdFor()))
                .build());
  }

  void prepare() throws Exception {
    write(it -> copy(it, Phase.prepare(it.phase().highest())).build());
  }

  void commit() throws Exception {
    write(it -> copy(it, Phase.commit(it.phase().cut().getAsLong())).build());
  }

  void sealed() throws Exception {
    write(it -> copy(it, Phase.sealed(it.phase().cut().getAsLong())).build());
  }

  void abort() throws Exception {
    write(it -> copy(it, Phase.abort()).build());
  }

  static HandoverRecord.Builder copy(HandoverRecord record, Phase phase) {
    return HandoverRecord.builder()
        .epoch(record.epoch())
        .phase(phase)
        .active(record.active())
        .incoming(record.incoming())
        .fork(record.fork())
        .blue(record.blue())
        .green(record.green());
  }

  HandoverRecord now() {
    return newest.get().handover;
  }

  long version() {
    return newest.get().number;
  }

  Report blue() {
    return now().blue().orElseThrow();
  }

  /** Waits until the record says so. */
  HandoverRecord await(String what, Predicate<HandoverRecord> condition) throws Exception {
    Instant deadline = Instant.now().plus(Duration.ofSeconds(120));
    while (Instant.now().isBefore(deadline)) {
      HandoverRecord record = now();
      if (record != null && condition.test(record)) {
        return record;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("not seen: " + what + "; the record is " + now() + " " + trouble);
  }

  @Override
  public void close() {
    store.close();
  }
}
