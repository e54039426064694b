package io.github.sluiceflink.gate.simulation;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What must be caught: one thing done wrong at a time, in the sources that ship. Each is caught by
 * a law that says what it does. What only the vectors decide, such as that the watermark is part of
 * a checkpoint, is not here.
 */
class MutationsTest {

  private static final long MOST_SEEDS = Long.getLong("mutations.seeds", 6_000);

  /** What is done wrong, and the laws of which one has to catch it. */
  enum Mutant {
    W_IS_H(
        new Mutation()
            .with("Times", "highest == Long.MAX_VALUE ? highest : highest + 1", "highest")
            .with("Phase", "&& highest() < prepare.cut().getAsLong()", ""),
        Law.I3),
    H_GOES_DOWN(
        new Mutation()
            .with("OutgoingWish", "Math.max(published, situation.highest())", "situation.highest()")
            .with("Phase", "(name() == Name.STANDBY && highest() <= next.highest())", "true"),
        Law.I11),
    G1_ABORT_LEAVES_THE_OUTGOING_JOB_CLOSED(
        new Mutation()
            .with(
                "Cell",
                "case SEALED: // A standby that waits to be handed back to, or to go.",
                "case ABORT: case SEALED:"),
        Law.I5),
    G3_DROPS_BEFORE_W_IS_KNOWN(
        new Mutation()
            .with(
                "Judge",
                "timestamp <= bound && arrival < bound ? Verdict.DROP",
                "true ? Verdict.DROP"),
        Law.I4),
    G4_EACH_SUBTASK_SPEAKS_FOR_ALL(
        new Mutation()
            .with(
                "OutgoingWish",
                "if (!answer.isPresent()) { return Optional.empty(); }",
                "if (!answer.isPresent()) { continue; }"),
        Law.I3),
    G5_THE_FIRST_DRAINED_SPEAKS_FOR_ALL(
        new Mutation()
            .with(
                "Coordinator",
                ".allMatch(known -> known.hasPassed(cut, checkpoint))",
                ".anyMatch(known -> known.hasPassed(cut, checkpoint))"),
        Law.I2,
        Law.I5,
        Law.I7),
    G6_HALF_OF_WHAT_WAS_TOLD(
        new Mutation()
            .with(
                "Gate",
                "cell = Cell.of(rules, told); bound = Cell.bound(told);",
                "bound = cell == null ? 0 : nextBound; cell = Cell.of(rules, told); nextBound = Cell.bound(told);")
            .with("Gate", "private Cell cell;", "private Cell cell; private long nextBound;"),
        Law.I1),
    RESTART_STARTS_OPEN(
        new Mutation().with("Cell", "case NOTHING: return HOLD;", "case NOTHING: return PASS;"),
        Law.I3,
        Law.I10),
    KEPT_IS_NOT_CHECKPOINTED(
        new Mutation()
            .with("Gate", "GateState.of(kept.all(), ", "GateState.of(java.util.List.of(), "),
        Law.I6),
    F1_SEALED_PASSES_EVERYTHING(
        new Mutation()
            .with(
                "Cell",
                "case SEALED: return inTime ? TAKING_OVER_IN_TIME : TAKING_OVER; default:",
                "case SEALED: return PASS; default:"),
        Law.I1),
    A_LATER_LIFE_IS_TAKEN_FOR_AN_EARLIER_ONE(
        new Mutation()
            .with(
                "Coordinator",
                "if (report.incarnation() > before.incarnation()) { return Standing.deposed(); }",
                ""),
        Law.CONVERGENCE);

    private final Mutation mutation;
    private final Law[] laws;

    Mutant(Mutation mutation, Law... laws) {
      this.mutation = mutation;
      this.laws = laws;
    }
  }

  /** What is done wrong around the protocol, and the laws of which one has to catch it. */
  private static final Map<Wrong, Set<Law>> AROUND =
      Map.of(
          Wrong.COMMIT_WITHOUT_VERSION, EnumSet.of(Law.I11),
          Wrong.ABORT_AFTER_COMMIT, EnumSet.of(Law.I11),
          Wrong.DELETED_BEFORE_SEALED, EnumSet.of(Law.I7),
          Wrong.PREPARE_WITHOUT_SETTLED_FORK, EnumSet.of(Law.I2),
          Wrong.PREPARE_BEFORE_STANDBY_MISSES_NOTHING, EnumSet.of(Law.I2, Law.I4),
          Wrong.STABLE_BEFORE_PASSED, EnumSet.of(Law.I1, Law.I2, Law.I5),
          Wrong.SINK_STATE_KEPT, EnumSet.of(Law.I12));

  @ParameterizedTest
  @EnumSource(value = Wrong.class, names = "NOTHING", mode = EnumSource.Mode.EXCLUDE)
  void each_thing_done_wrong_around_the_protocol_breaks_a_law(Wrong wrong) {
    Simulation simulation = new Simulation(wrong);
    caught(
        wrong.name(),
        AROUND.get(wrong),
        seed -> {
          Broken broken = simulation.broken(seed, Simulation.steps(seed));
          return broken == null ? "" : broken.law.name();
        });
  }

  @ParameterizedTest
  @EnumSource(Mutant.class)
  void each_thing_done_wrong_breaks_a_law(Mutant mutant) {
    caught(mutant.name(), Set.of(mutant.laws), mutant.mutation.player(Wrong.NOTHING));
  }

  /**
   * @param player plays the world of a seed; the law that it breaks, or empty
   */
  private static void caught(String name, Set<Law> laws, LongFunction<String> player) {
    Map<String, Long> found = new TreeMap<>();
    for (long seed = 0; seed < MOST_SEEDS; seed++) {
      String broken = player.apply(seed);
      found.putIfAbsent(broken, seed);
      if (laws.stream().anyMatch(law -> broken.equals(law.name()))) {
        return;
      }
    }
    fail(name + " broke, by first seed: " + found);
  }
}
