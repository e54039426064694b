package io.github.sluiceflink.gate.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What a record costs, with and without a gate. Each round starts a JVM for each of them, one right
 * after the other, so that both see the same machine.
 */
final class RecordCosts {

  private static final String ALLOCATED = "gc.alloc.rate.norm";

  private RecordCosts() {}

  static void measure(int rounds, Figures figures) throws RunnerException {
    for (int round = 1; round <= rounds; round++) {
      for (Records records : Records.values()) {
        measure(PassingBenchmark.class, round, records, Gates.PASSING, figures);
        measure(KeepingBenchmark.class, round, records, Gates.KEEPING, figures);
      }
    }
    Options judging =
        new OptionsBuilder()
            .include(name(JudgingBenchmark.class))
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.SILENT)
            .build();
    for (RunResult result : new Runner(judging).run()) {
      figures.write(
          "judging",
          "method",
          result.getPrimaryResult().getLabel(),
          "ns",
          result.getPrimaryResult().getScore(),
          "bytes",
          secondary(result, ALLOCATED));
    }
  }

  private static void measure(
      Class<?> benchmark, int round, Records records, Gates gates, Figures figures)
      throws RunnerException {
    List<Gates> all = new ArrayList<>(List.of(Gates.NONE, gates));
    if (gates == Gates.PASSING) {
      all.add(1, Gates.OPERATOR);
    }
    if (round % 2 == 0) {
      Collections.reverse(all);
    }
    for (Gates each : all) {
      Options options =
          new OptionsBuilder()
              .include(name(benchmark))
              .param("gates", each.name())
              .param("records", records.name())
              .addProfiler(GCProfiler.class)
              .addProfiler(WorkProfiler.class)
              .shouldFailOnError(true)
              .verbosity(VerboseMode.SILENT)
              .build();
      Collection<RunResult> results = new Runner(options).run();
      for (RunResult result : results) {
        figures.write(
            "record",
            "measured",
            gates.name(),
            "round",
            round,
            "gates",
            each.name(),
            "records",
            records.name(),
            "ns",
            result.getPrimaryResult().getScore(),
            "work",
            secondary(result, WorkProfiler.LABEL),
            "bytes",
            secondary(result, ALLOCATED));
      }
    }
  }

  private static String name(Class<?> benchmark) {
    return benchmark.getName().replace(".", "\\.") + "\\.";
  }

  private static double secondary(RunResult result, String label) {
    // Profilers put a dot of their own before their labels in some versions.
    for (Result<?> each : result.getSecondaryResults().values()) {
      if (each.getLabel().replace("\u00b7", "").equals(label)) {
        return each.getScore();
      }
    }
    throw new IllegalStateException("nothing was measured of " + label);
  }
}
