package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.record.RecordStore;
import io.github.sluiceflink.gate.record.WriteRefusedException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;

/** Plays the operator: watches the record, and writes what is the operator's to write. */
final class Operator implements RecordStore.Listener {

  private static final long TIMEOUT_MS = 120_000;

  private final RecordStore store;
  private long version;
  private HandoverRecord read;

  /** Watches the record. */
  Operator(RecordStore store) {
    this.store = store;
    store.watch(this);
  }

  @Override
  public synchronized void onRead(long version, HandoverRecord read) {
    if (version > this.version) {
      this.version = version;
      this.read = read;
      notifyAll();
    }
  }

  @Override
  public void onAbsent() {}

  @Override
  public void onTrouble(String sentence) {
    System.err.println(sentence);
  }

  /** Waits until the record is so. */
  synchronized HandoverRecord await(String what, Predicate<HandoverRecord> wanted)
      throws InterruptedException, TimeoutException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    while (read == null || !wanted.test(read)) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new TimeoutException("waited in vain for " + what + "; the record is " + read);
      }
      wait(left);
    }
    return read;
  }

  /** Writes; once more if somebody else was first. */
  void write(Function<HandoverRecord, HandoverRecord.Builder> change) throws Exception {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    while (true) {
      long expected;
      HandoverRecord present;
      synchronized (this) {
        expected = version;
        present = read;
      }
      try {
        store.put(expected, change.apply(present).build()).get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        return;
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof WriteRefusedException) || System.nanoTime() > end) {
          throw e;
        }
        synchronized (this) {
          if (version == expected) {
            wait(100);
          }
        }
      }
    }
  }

  /** All that the record says, to be changed. */
  static HandoverRecord.Builder copy(HandoverRecord present) {
    return HandoverRecord.builder()
        .epoch(present.epoch())
        .phase(present.phase())
        .active(present.active())
        .incoming(present.incoming())
        .fork(present.fork())
        .savepoint(present.savepoint())
        .deadline(present.deadline())
        .reason(present.reason())
        .blue(present.blue())
        .green(present.green())
        .firstDeployment(present.firstDeployment())
        .deletionDelayMs(present.deletionDelayMs());
  }
}
