package io.github.sluiceflink.gate.bench;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.connector.datagen.source.GeneratorFunction;

/**
 * The input of both jobs of a handover: each partition has a record for every so many milliseconds
 * since the beginning, and a job that comes later catches up. A record is its partition and its
 * number in it.
 */
final class Pace implements GeneratorFunction<Long, Long> {

  /** Flink deals out ranges of numbers; this many are a partition's. */
  static final long PARTITION = 1L << 40;

  private static final long serialVersionUID = 1L;

  private final long beganNs;
  private final long everyMs;

  /**
   * Input that began then.
   *
   * @param beganNs by the clock of this process
   */
  Pace(long beganNs, long everyMs) {
    this.beganNs = beganNs;
    this.everyMs = everyMs;
  }

  static int number(long record) {
    return (int) (record & (PARTITION - 1));
  }

  /** The event time of a record: since the beginning. */
  long millisecond(long record) {
    return number(record) * everyMs;
  }

  static int partition(long record) {
    return (int) (record / PARTITION);
  }

  @Override
  public Long map(Long record) {
    long due = beganNs + TimeUnit.MILLISECONDS.toNanos(millisecond(record));
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        break;
      }
    }
    return record;
  }
}
