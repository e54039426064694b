package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.AbortReason;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A job with two gates at parallelism 3, in a cluster, with a record of files. */
@Timeout(400)
@Execution(ExecutionMode.CONCURRENT)
final class TwoGatesTest {

  private static final long ENDLESS = 1_000_000_000;

  @TempDir Path directory;
  private TestRecord record;

  @BeforeEach
  void open() throws Exception {
    Files.createDirectories(directory.resolve("record"));
    record = new TestRecord(directory.resolve("record"));
  }

  @AfterEach
  void close() throws Exception {
    record.close();
    // A job may write its last report while its cluster goes down, after it has ended.
    GatedJob.await("nobody writes the record", () -> deleted(directory.resolve("record")));
  }

  private static boolean deleted(Path record) {
    for (File file : Objects.requireNonNullElse(record.toFile().listFiles(), new File[0])) {
      file.delete();
    }
    return record.toFile().delete();
  }

  private GatedJob blue(Configuration more, long perSubtask) throws Exception {
    return new GatedJob(
        TestRecord.BLUE, directory.resolve("record"), directory.resolve("blue"), more, perSubtask);
  }

  private GatedJob green(long perSubtask) throws Exception {
    return new GatedJob(
        TestRecord.GREEN,
        directory.resolve("record"),
        directory.resolve("green"),
        new Configuration(),
        perSubtask);
  }

  private static boolean isAttempt(HandoverRecord record, long attempt) {
    return record.blue().filter(it -> it.attempt() == attempt).isPresent();
  }

  @Test
  void holdsEverythingUntilTheRecordIsThere() throws Exception {
    try (GatedJob job = blue(new Configuration(), ENDLESS)) {
      GatedJob.await("the sources read", () -> job.read() > 300);
      assertEquals(List.of(), job.behind(0));

      record.create();

      GatedJob.await("everything passes", () -> job.highestBehind(0) > 100);
      assertTrue(new TreeSet<>(job.behind(0)).contains(0L), "what was kept came, too");
      assertTrue(isAttempt(record.now(), 1));
    }
  }

  @Test
  void agreesOnACutAboveEverythingThatBothGatesHaveEmitted() throws Exception {
    record.create();
    try (GatedJob job = blue(new Configuration(), ENDLESS)) {
      GatedJob.await(
          "both gates emit", () -> job.highestBehind(0) > 50 && job.highestBehind(1) > 50);
      record.standby();
      record.await("H is published", it -> it.phase().highest() > 100);
      record.await("all gates report", it -> it.blue().get().gates().allReporting());
      assertEquals(2, record.blue().gates().each().size());
      assertEquals("sink-1", record.blue().gates().each().get(1).name());

      record.prepare();
      HandoverRecord cut = record.await("the cut", it -> it.phase().cut().isPresent());

      long w = cut.phase().cut().getAsLong();
      assertTrue(w > cut.phase().highest());
      long read = job.read();
      GatedJob.await("the job reads on", () -> job.read() > read + 300);
      for (int gate = 0; gate < 2; gate++) {
        assertTrue(job.highestBehind(gate) < w, "nothing from the cut on has come");
      }

      record.commit();
      record.await("it is drained", it -> it.blue().get().passed().isPresent());

      for (int gate = 0; gate < 2; gate++) {
        assertEquals(w - 1, job.highestBehind(gate));
        assertEquals(w, new TreeSet<>(job.behind(gate)).size(), "each below the cut has come");
        assertEquals(3 * w, job.behind(gate).size(), "and none twice");
      }
      record.await(
          "what is the other job's is counted",
          it -> it.blue().get().gates().figures().dropped() > 0);
    }
  }

  @Test
  void g1ReleasesWhatItKeptWhenTheHandoverIsGivenUp() throws Exception {
    record.create();
    try (GatedJob job = blue(new Configuration(), ENDLESS)) {
      record.standby();
      record.await("H is published", it -> it.phase().highest() > 100);
      record.prepare();
      long cut =
          record.await("the cut", it -> it.phase().cut().isPresent()).phase().cut().getAsLong();
      long read = job.read();
      GatedJob.await("the job reads on", () -> job.read() > read + 300);

      record.abort();

      GatedJob.await("all passes again", () -> job.highestBehind(0) > cut + 200);
      TreeSet<Long> seen = new TreeSet<>(job.behind(0));
      for (long number = 0; number < cut + 100; number++) {
        assertTrue(seen.contains(number), number + " is missing");
      }
    }
  }

  @Test
  void givesUpItselfWhenItHasHeldForTooLong() throws Exception {
    record.create();
    Configuration impatient = new Configuration();
    impatient.setString("bluegreen.gate.hold-timeout", "300 ms");
    try (GatedJob job = blue(impatient, ENDLESS)) {
      record.standby();
      record.await("H is published", it -> it.phase().highest() > 50);
      record.prepare();

      HandoverRecord given = record.await("it gives up", it -> it.phase().equals(Phase.abort()));

      assertEquals(AbortReason.holdTimeout(), given.reason().orElseThrow());
      long before = job.highestBehind(0);
      GatedJob.await("all passes again", () -> job.highestBehind(0) > before + 100);
    }
  }

  @Test
  void startsANewAttemptWhenATaskFailsAndKeepsTheCut() throws Exception {
    record.create();
    try (GatedJob job = blue(new Configuration(), ENDLESS)) {
      record.standby();
      record.await("H is published", it -> it.phase().highest() > 100);
      record.await("a checkpoint", it -> it.blue().get().completed().isPresent());
      record.prepare();
      long cut =
          record.await("the cut", it -> it.phase().cut().isPresent()).phase().cut().getAsLong();
      long attempt = record.blue().attempt();

      job.failATask();

      Report restarted =
          record
              .await("a new attempt", it -> it.blue().get().attempt() > attempt)
              .blue()
              .orElseThrow();
      assertTrue(
          restarted.restores().get(restarted.restores().size() - 1).checkpoint().isPresent(),
          "it says what it restored");
      assertEquals(cut, record.now().phase().cut().getAsLong());
      long read = job.read();
      GatedJob.await("the job reads on", () -> job.read() > read + 300);
      assertTrue(job.highestBehind(0) < cut);

      record.commit();
      record.await("it is drained", it -> it.blue().get().passed().isPresent());

      for (int gate = 0; gate < 2; gate++) {
        assertEquals(cut - 1, job.highestBehind(gate));
        assertEquals(cut, new TreeSet<>(job.behind(gate)).size());
      }
    }
  }

  @Test
  void theIncomingJobEmitsFromTheCutOnWhatItKept() throws Exception {
    record.create();
    try (GatedJob blue = blue(new Configuration(), ENDLESS);
        GatedJob green = green(ENDLESS)) {
      record.standby();
      record.await(
          "green reports", it -> it.green().filter(own -> own.gates().allReporting()).isPresent());
      record.await("H is published", it -> it.phase().highest() > 200);
      assertEquals(List.of(), green.behind(0));
      record.prepare();
      record.await("the cut", it -> it.phase().cut().isPresent());
      assertEquals(List.of(), green.behind(0));

      record.commit();
      long cut = record.now().phase().cut().getAsLong();

      record.await("blue is drained", it -> it.blue().get().passed().isPresent());
      GatedJob.await("green emits", () -> green.highestBehind(0) > cut + 100);
      record.sealed();
      record.await("green has passed the cut", it -> it.green().get().passed().isPresent());
      for (int gate = 0; gate < 2; gate++) {
        assertEquals(3 * cut, blue.behind(gate).size());
        List<Long> own = green.behind(gate);
        assertFalse(own.stream().anyMatch(it -> it < cut), "nothing below the cut");
        assertEquals(3, own.stream().filter(it -> it == cut).count());
        assertEquals(3, own.stream().filter(it -> it == cut + 50).count());
      }
    }
  }

  @Test
  void g30AJobWhoseInputEndsComesToItsEnd() throws Exception {
    record.create();
    try (GatedJob job = blue(new Configuration(), 400)) {
      GatedJob.await("the end", () -> job.behind(0).size() == 1200 && job.behind(1).size() == 1200);
      job.client().getJobExecutionResult().get(120, TimeUnit.SECONDS);
    }
  }
}
