package io.github.sluiceflink.gate.simulation;

import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Test;

class SimulationTest {

  /**
   * The properties {@code simulation.seed} and {@code simulation.seeds} say where to begin, and how
   * many.
   */
  @Test
  void no_world_breaks_a_law() {
    Simulation simulation = new Simulation(Wrong.NOTHING);
    long first = Long.getLong("simulation.seed", 0);
    long count = Long.getLong("simulation.seeds", 700);
    for (long seed = first; seed < first + count; seed++) {
      if (simulation.broken(seed, Simulation.steps(seed)) != null) {
        fail(simulation.shortest(seed));
      }
    }
  }
}
