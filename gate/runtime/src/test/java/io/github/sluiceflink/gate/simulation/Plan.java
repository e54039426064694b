package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Rules;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/** A world that is drawn from a seed: its input, its jobs' shape, and what may go wrong in it. */
final class Plan {

  /** A watermark beyond every record. */
  static final long BEYOND = 1_000_000;

  /** What comes from each split, in order. After it the input ends, or only watermarks come. */
  final List<List<Item>> splits = new ArrayList<>();

  /** The event time of each record. */
  final long[] times;

  /**
   * Records that are late already where they come from, or have no event time, or come when others
   * may not have waited for their split.
   */
  final BitSet late = new BitSet();

  final boolean bounded;
  final boolean idles;

  /** Whether a watermark may be left out, as periodic ones differ from run to run. */
  final boolean skipsWatermarks;

  final int gates;

  /** Whether the records of a gate are shuffled by key, each gate. */
  final boolean[] shuffled;

  final int sources;
  final boolean rescales;
  final boolean unaligned;
  final Rules rules;
  final long maxCutLead;

  /** How many transitions are begun. */
  final int transitions;

  /** Whether transitions are still begun when nothing goes wrong any more. */
  final boolean persists;

  /** How often each thing happens, relative to the others. */
  final int[] weights;

  /** How likely each kind of fault is, in ten-thousandths of a step. */
  final int[] faults;

  Plan(SplittableRandom random) {
    int disorder = random.nextInt(4) * random.nextInt(4);
    boolean hasLate = random.nextInt(4) == 0;
    boolean hasUntimed = random.nextInt(8) == 0;
    idles = random.nextInt(3) == 0;
    List<Long> drawn = new ArrayList<>();
    int count = 1 + random.nextInt(4);
    for (int split = 0; split < count; split++) {
      splits.add(split(random, drawn, disorder, hasLate, hasUntimed));
    }
    times = drawn.stream().mapToLong(Long::longValue).toArray();
    bounded = random.nextInt(4) == 0;
    skipsWatermarks = random.nextInt(3) == 0;
    gates = 1 + random.nextInt(2) + random.nextInt(2) * random.nextInt(2);
    shuffled = new boolean[gates];
    for (int gate = 0; gate < gates; gate++) {
      shuffled[gate] = random.nextBoolean();
    }
    sources = random.nextInt(4) == 0 ? count : 1 + random.nextInt(3);
    unaligned = random.nextInt(4) == 0;
    rescales = !unaligned && random.nextInt(3) == 0;
    rules =
        Rules.of(
            random.nextInt(3) == 0 ? Rules.Ordering.STRICT : Rules.Ordering.OVERLAP,
            random.nextInt(3) == 0 ? Rules.LateRecords.OUTGOING : Rules.LateRecords.BOTH);
    maxCutLead = random.nextInt(12) == 0 ? random.nextInt(6) : BEYOND;
    transitions = 1 + random.nextInt(3);
    persists = random.nextBoolean();
    weights = new int[Happening.values().length];
    for (Happening happening : Happening.values()) {
      weights[happening.ordinal()] =
          happening.weight * (1 + random.nextInt(3) * random.nextInt(4)) * 4;
    }
    faults = new int[Fault.values().length];
    // From no fault at all to many.
    int scale = new int[] {0, 2, 4, 8, 14}[random.nextInt(5)];
    for (Fault fault : Fault.values()) {
      int likely = random.nextInt(3) * random.nextInt(scale + 1);
      faults[fault.ordinal()] = likely;
    }
  }

  private List<Item> split(
      SplittableRandom random,
      List<Long> drawn,
      int disorder,
      boolean hasLate,
      boolean hasUntimed) {
    List<Item> split = new ArrayList<>();
    int records = random.nextInt(13);
    long base = 1 + random.nextInt(4);
    long highest = Long.MIN_VALUE;
    long watermark = Long.MIN_VALUE;
    boolean wasIdle = false;
    for (int left = records; left > 0; left--) {
      base += random.nextInt(3) + (random.nextInt(10) == 0 ? 10 : 0);
      long time = Math.max(base - random.nextInt(disorder + 1), Math.max(1, watermark + 1));
      int id = drawn.size();
      if (hasLate && watermark > 1 && random.nextInt(5) == 0) {
        time = Math.max(1, watermark - random.nextInt(4));
        late.set(id);
      } else if (hasUntimed && random.nextInt(6) == 0) {
        time = random.nextBoolean() ? Long.MAX_VALUE : Long.MIN_VALUE;
        late.set(id);
      } else {
        highest = Math.max(highest, time);
      }
      if (wasIdle) {
        // The others' watermark did not wait for it.
        late.set(id);
      }
      drawn.add(time == Long.MAX_VALUE ? Long.MIN_VALUE : time);
      split.add(Item.record(id, time));
      if (highest > Long.MIN_VALUE && random.nextInt(5) < 2) {
        watermark = Math.max(watermark, highest - disorder - random.nextInt(2));
        split.add(Item.watermark(watermark));
      }
      if (idles && random.nextInt(8) == 0) {
        split.add(Item.idle());
        wasIdle = true;
      }
    }
    return split;
  }

  /** Whether both jobs see the same watermark when the same record comes. */
  boolean ordersAlike() {
    boolean isShuffled = false;
    for (boolean one : shuffled) {
      isShuffled |= one;
    }
    return !isShuffled && !rescales && !skipsWatermarks && !idles && sources >= splits.size();
  }
}
