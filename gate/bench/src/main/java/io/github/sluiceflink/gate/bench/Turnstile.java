package io.github.sluiceflink.gate.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * Lets a source of this process go on for so many records, and waits until they are through. In a
 * job of one chain a record is through when the next one is asked for. It also adds up the time
 * that the chain's thread has had of a processor, which says what a record costs where the machine
 * is shared.
 */
final class Turnstile {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private static long allowed;
  private static boolean waiting;
  private static long workedNs;
  private static long through;

  private Turnstile() {}

  /** For the next job, whose records count from 0 again. */
  static synchronized void reset() {
    allowed = 0;
    waiting = false;
    workedNs = 0;
    through = 0;
  }

  /** Called by the source before the record with this number; returns how far it may go. */
  static synchronized long await(long number) throws InterruptedException {
    // What it worked before its first record is not for its records.
    workedNs += number == 0 ? 0 : THREADS.getCurrentThreadCpuTime();
    through = number;
    while (number >= allowed) {
      waiting = true;
      Turnstile.class.notifyAll();
      Turnstile.class.wait();
    }
    workedNs -= THREADS.getCurrentThreadCpuTime();
    return allowed;
  }

  /**
   * The time that all records together have needed of a processor; only while none is under way.
   */
  static synchronized long workedNs() {
    return workedNs;
  }

  /** How many are through. */
  static synchronized long through() {
    return through;
  }

  /** Waits until all are through that were let through before. */
  static synchronized void awaitWaiting(long timeoutMs) throws InterruptedException {
    long end = System.nanoTime() + timeoutMs * 1_000_000;
    while (!waiting) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new IllegalStateException("the job has not come that far in " + timeoutMs + " ms");
      }
      Turnstile.class.wait(left);
    }
  }

  /** Lets so many more through, and waits for them. */
  static synchronized void pass(long records, long timeoutMs) throws InterruptedException {
    awaitWaiting(timeoutMs);
    allowed += records;
    waiting = false;
    Turnstile.class.notifyAll();
    awaitWaiting(timeoutMs);
  }
}
