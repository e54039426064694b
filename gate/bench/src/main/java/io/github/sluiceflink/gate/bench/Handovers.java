package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Times;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.flink.configuration.Configuration;

/** Handovers between two jobs in clusters of their own, with a real record between them. */
final class Handovers {

  private static final Job BLUE = Job.of(Color.BLUE, 1);
  private static final Job GREEN = Job.of(Color.GREEN, 2);

  /** Where this process finds its service account. */
  private static final String ACCOUNT = "bluegreen.kubernetes.service-account-directory";

  private static final long TIMEOUT_MS = 120_000;
  private static final long STANDBY_MS = 5000;

  private Handovers() {}

  /** So many, with the record in files. */
  static void measure(int rounds, Figures figures) throws Exception {
    for (int round = 1; round <= rounds; round++) {
      Path directory = Files.createTempDirectory("gate-bench");
      Configuration place = new Configuration();
      place.set(GateOptions.HANDOVER_DIRECTORY, directory.toString());
      one(RecordPlace.directory(directory.toString()).open(), place, 1, figures);
    }
  }

  /** One, with the record in a ConfigMap. */
  static void measure(String namespace, String name, int parallelism, Figures figures)
      throws Exception {
    Path accounts = Path.of(System.getProperty("bench.accounts"));
    Configuration place = new Configuration();
    place.set(GateOptions.CONFIGMAP_NAMESPACE, namespace);
    place.set(GateOptions.CONFIGMAP_NAME, name);
    System.setProperty(ACCOUNT, accounts.resolve("operator").toString());
    RecordStore store = RecordPlace.configMap(namespace, name).open();
    // What is opened from now on is the jobs'.
    System.setProperty(ACCOUNT, accounts.resolve("jobs").toString());
    one(store, place, parallelism, figures);
  }

  private static void one(RecordStore opened, Configuration place, int parallelism, Figures figures)
      throws Exception {
    Seen.reset(parallelism);
    long began = System.nanoTime();
    // As many records each second, whatever the parallelism: the machine is not what is measured.
    long every = parallelism;
    Pace pace = new Pace(began, every);
    try (RecordStore store = opened) {
      store
          .put(0, HandoverRecord.builder().epoch(1).phase(Phase.stable()).active(BLUE).build())
          .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
      Operator operator = new Operator(store);
      operator.await("the record", present -> true);
      PacedJob blue = PacedJob.start(BLUE, parallelism, pace, place);
      awaitPresent(began);
      long standingBy = System.nanoTime();
      operator.write(
          present ->
              Operator.copy(present)
                  .epoch(2)
                  .phase(Phase.standby(Times.NO_TIMESTAMP))
                  .incoming(OptionalLong.of(GREEN.createdFor())));
      PacedJob green = PacedJob.start(GREEN, parallelism, pace, place);
      operator.await("the green job", present -> hasCaughtUp(present, began));
      // As long each time, so that what is asked in that time can be compared.
      Thread.sleep(STANDBY_MS);

      Seen.beginPauses();
      long prepared = System.nanoTime();
      operator.write(
          present -> Operator.copy(present).phase(Phase.prepare(present.phase().highest())));
      HandoverRecord cut = operator.await("the cut", present -> present.phase().cut().isPresent());
      long committing = System.nanoTime();
      operator.write(
          present -> Operator.copy(present).phase(Phase.commit(present.phase().cut().getAsLong())));
      long committed = System.nanoTime();
      await("the green job's first record", () -> Seen.ofGreen() > 0);
      awaitPresent(began);
      Thread.sleep(1000);
      figures.write(
          "handover",
          "place",
          place.contains(GateOptions.HANDOVER_DIRECTORY) ? "FILES" : "CONFIGMAP",
          "parallelism",
          parallelism,
          "prepareToCutMs",
          milliseconds(committing - prepared),
          "commitWriteMs",
          milliseconds(committed - committing),
          "commitToFirstMs",
          milliseconds(Seen.firstOfGreenNs() - committing),
          "pauseMs",
          milliseconds(Seen.longestPauseNs()),
          "tookMs",
          milliseconds(System.nanoTime() - standingBy),
          "cut",
          cut.phase().cut().getAsLong());
      Seen.assertEachOnce((int) ((cut.phase().cut().getAsLong() + 200) / every));
      blue.close();
      green.close();
    }
  }

  /** Its lowest watermark is a moment behind the present. */
  private static boolean hasCaughtUp(HandoverRecord present, long began) {
    return present
        .green()
        .filter(report -> report.gates().watermark() > nowMs(began) - 2500)
        .isPresent();
  }

  private static long nowMs(long began) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
  }

  /** Waits until the output is at the present; there is one record for each millisecond. */
  private static void awaitPresent(long began) throws InterruptedException, TimeoutException {
    await("the output to be at the present", () -> Seen.all() > nowMs(began) - 1000);
  }

  private static void await(String what, BooleanSupplier wanted)
      throws InterruptedException, TimeoutException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
    while (!wanted.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new TimeoutException("waited in vain for " + what);
      }
      Thread.sleep(10);
    }
  }

  private static double milliseconds(long ns) {
    return ns / 1e6;
  }
}
