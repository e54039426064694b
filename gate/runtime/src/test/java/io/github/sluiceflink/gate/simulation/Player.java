package io.github.sluiceflink.gate.simulation;

import java.util.function.LongFunction;

/** Plays the world of a seed: the name of the law that it breaks, or nothing. */
public final class Player implements LongFunction<String> {

  private final Simulation simulation;

  public Player(String wrong) {
    this.simulation = new Simulation(Wrong.valueOf(wrong));
  }

  @Override
  public String apply(long seed) {
    Broken broken = simulation.broken(seed, Simulation.steps(seed));
    return broken == null ? "" : broken.law.name();
  }
}
