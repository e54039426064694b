package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.handover.Color;
import java.util.BitSet;

/** What the sinks of both jobs have got. All of them are in this process. */
final class Seen {

  private static BitSet[] records = new BitSet[0];
  private static long twice;
  private static long last;
  private static long longestPauseNs;
  private static long ofGreen;
  private static long firstOfGreenNs;

  private Seen() {}

  /** For the next handover. */
  static synchronized void reset(int partitions) {
    records = new BitSet[partitions];
    for (int i = 0; i < partitions; i++) {
      records[i] = new BitSet();
    }
    twice = 0;
    last = 0;
    longestPauseNs = 0;
    ofGreen = 0;
    firstOfGreenNs = 0;
  }

  static synchronized void record(Color color, long record) {
    long now = System.nanoTime();
    BitSet partition = records[Pace.partition(record)];
    int number = Pace.number(record);
    if (partition.get(number)) {
      twice++;
    }
    partition.set(number);
    if (last != 0) {
      longestPauseNs = Math.max(longestPauseNs, now - last);
    }
    last = now;
    if (color == Color.GREEN) {
      if (ofGreen == 0) {
        firstOfGreenNs = now;
      }
      ofGreen++;
    }
  }

  /** From now on, pauses count. */
  static synchronized void beginPauses() {
    longestPauseNs = 0;
  }

  /** The longest time without any record since then. */
  static synchronized long longestPauseNs() {
    return longestPauseNs;
  }

  /** How many records the green job has written. */
  static synchronized long ofGreen() {
    return ofGreen;
  }

  /** When it wrote the first, by the clock of this process. */
  static synchronized long firstOfGreenNs() {
    return firstOfGreenNs;
  }

  /** How many records came, of all partitions. */
  static synchronized long all() {
    long all = 0;
    for (BitSet partition : records) {
      all += partition.cardinality();
    }
    return all;
  }

  /**
   * Asserts that of each partition so many records came once.
   *
   * @throws IllegalStateException if not
   */
  static synchronized void assertEachOnce(int until) {
    long missing = 0;
    for (BitSet partition : records) {
      missing += until - partition.get(0, until).cardinality();
    }
    if (missing > 0 || twice > 0) {
      throw new IllegalStateException(
          missing + " records are missing, and " + twice + " came twice");
    }
  }
}
