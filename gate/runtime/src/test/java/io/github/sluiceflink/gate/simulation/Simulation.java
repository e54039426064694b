package io.github.sluiceflink.gate.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Worlds that are played from a seed: for a while anything may happen, then nothing goes wrong. */
final class Simulation {

  private static final int ROUNDS = 200;

  private final Wrong wrong;

  Simulation(Wrong wrong) {
    this.wrong = wrong;
  }

  /** How long anything may happen in the world of this seed. */
  static int steps(long seed) {
    return new SplittableRandom(seed ^ 0x5DEECE66DL).nextInt(2_500);
  }

  /**
   * Plays a world to its end.
   *
   * @param story where what happens is written down; nowhere if null
   * @throws Broken if a law is broken
   */
  World play(long seed, int steps, List<String> story) {
    World world = new World(new SplittableRandom(seed), wrong, story);
    for (int step = 0; step < steps; step++) {
      world.step();
    }
    if (!world.comesToRest(ROUNDS)) {
      throw new Broken(Law.CONVERGENCE, "it stays at " + world.store.newest().phase());
    }
    world.laws.atTheEnd();
    return world;
  }

  /** The law that the world of this seed breaks; null if none. */
  Broken broken(long seed, int steps) {
    try {
      play(seed, steps, null);
      return null;
    } catch (Broken e) {
      return e;
    }
  }

  private boolean breaks(Law law, long seed, int steps) {
    Broken broken = broken(seed, steps);
    return broken != null && broken.law == law;
  }

  /** How a world with fewer steps breaks a law, and what happened in it before. */
  String shortest(long seed) {
    int fewest = steps(seed);
    Law law = broken(seed, fewest).law;
    for (int shorter = fewest / 2; shorter > 0; shorter /= 2) {
      for (int steps = fewest - shorter; steps >= 0 && breaks(law, seed, steps); ) {
        fewest = steps;
        steps -= shorter;
      }
    }
    List<String> story = new ArrayList<>();
    String how = "no law";
    try {
      play(seed, fewest, story);
    } catch (Broken e) {
      how = e.getMessage();
    }
    return "seed "
        + seed
        + " with "
        + fewest
        + " steps breaks "
        + how
        + "\n  "
        + String.join("\n  ", story);
  }
}
