package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As {@link ForkTest}, with a real Kafka broker and exactly-once. */
class KafkaForkTest {

  @TempDir static Path shared;

  private static KafkaBroker kafka;

  @TempDir Path directory;

  @BeforeAll
  static void startKafka() throws Exception {
    kafka = new KafkaBroker(shared);
  }

  @AfterAll
  static void stopKafka() throws Exception {
    kafka.close();
  }

  @Test
  void without_a_sink_epoch_the_running_job_is_thrown_out_of_its_transactions_whatever_their_name()
      throws Exception {
    kafka.create("harmed");
    RunningJob running = job("A", kafka.sink("harmed", "a")).start();
    running.awaitRecords(1_000);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    running.awaitRecords(1_000);
    // It finds the other name in the state that it restores.
    RunningJob fork = job("B", kafka.sink("harmed", "b")).writingNothing().from(savepoint).start();

    // Not whether it fails, but in which of its threads first, is a matter of chance.
    running.awaitFailure(() -> FailedCommits.of("A") > 0);

    running.endQuietly();
    fork.endQuietly();
  }

  @Test
  void with_a_sink_epoch_of_its_own_the_fork_leaves_all_transactions_alone() throws Exception {
    kafka.create("unharmed");
    CountingJob a = job("C", kafka.sink("unharmed", "c")).sinkEpoch(1);
    CountingJob b = job("D", kafka.sink("unharmed", "c")).sinkEpoch(2);
    RunningJob running = a.start();
    running.awaitRecords(1_000);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    running.awaitRecords(1_000);
    RunningJob fork = b.from(savepoint).start();
    fork.awaitRecords(1_000);
    running.finish();
    fork.finish();

    Output output = kafka.committed("unharmed");
    assertEquals(List.of(), output.missing("C", 0, a.numbers()));
    assertEquals(List.of(), output.doubled("C"));
    assertTrue(output.first("D") > 0, "D has gone on from the savepoint");
    assertEquals(List.of(), output.missing("D", output.first("D"), b.numbers()));
    assertEquals(List.of(), output.doubled("D"));
    assertTrue(FailedCommits.known("C") && FailedCommits.known("D"));
    assertEquals(0, FailedCommits.of("C"));
    assertEquals(0, FailedCommits.of("D"));
  }

  private CountingJob job(String name, KafkaSink<String> sink) {
    return new CountingJob(name, directory)
        .to(sink)
        .with("metrics.reporters", "failed")
        .with("metrics.reporter.failed.factory.class", FailedCommits.Factory.class.getName());
  }
}
