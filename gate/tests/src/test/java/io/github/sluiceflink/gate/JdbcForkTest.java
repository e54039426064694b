package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * As {@link ForkTest}, with a real PostgreSQL server and the JDBC connector's XA transactions. A
 * savepoint that a job does not end with commits nothing, so all that has been written is still to
 * be committed when the other job starts.
 */
class JdbcForkTest {

  @TempDir static Path shared;

  private static Postgres postgres;

  @TempDir Path directory;

  @BeforeAll
  static void startPostgres() throws Exception {
    postgres = new Postgres(shared);
  }

  @AfterAll
  static void stopPostgres() throws Exception {
    postgres.close();
  }

  @ParameterizedTest
  @EnumSource
  void with_a_sink_epoch_of_its_own_the_fork_leaves_all_transactions_alone(JdbcSinks sink)
      throws Exception {
    String table = postgres.create("unharmed_" + sink);
    CountingJob a = job("A", sink, table).withoutCheckpoints().sinkEpoch(1);
    CountingJob b = job("B", sink, table).sinkEpoch(2);
    RunningJob running = a.start();
    running.awaitRecords(300);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    List<String> prepared = postgres.prepared();
    assertEquals(sink.waitsForTheCheckpoint() ? 1 : 0, prepared.size());
    RunningJob fork = b.from(savepoint).start();
    fork.awaitRecords(300);
    assertTrue(postgres.prepared().containsAll(prepared), "A's transaction is still there");
    running.finish();
    fork.drain(directory.resolve("savepoints"));

    Output output = postgres.committed(table);
    assertEquals(List.of(), output.missing("A", 0, a.numbers()));
    assertEquals(List.of(), output.doubled("A"));
    long first = output.first("B");
    assertTrue(first > 0, "B has gone on from the savepoint");
    assertEquals(List.of(), output.missing("B", first, first + 300));
    assertEquals(List.of(), output.doubled("B"));
    assertEquals(List.of(), postgres.prepared(), "nothing is left open");
  }

  @ParameterizedTest
  @EnumSource
  void a_job_that_goes_on_with_its_sink_epoch_commits_what_is_prepared_in_its_savepoint(
      JdbcSinks sink) throws Exception {
    String table = postgres.create("continued_" + sink);
    CountingJob a = job("A", sink, table).withoutCheckpoints().sinkEpoch(1);
    Path savepoints = directory.resolve("savepoints");
    // One that ends after its savepoint and before it could commit what is in there.
    RunningJob first = a.start();
    first.awaitRecords(300);
    String interrupted = first.savepoint(savepoints);
    first.cancel();
    assertEquals(sink.waitsForTheCheckpoint() ? 1 : 0, postgres.prepared().size());
    // One that is stopped as it should be.
    RunningJob second = a.from(interrupted).start();
    second.awaitRecords(300);
    assertEquals(List.of(), postgres.prepared(), "committed at the start");
    String stopped = second.stopWithSavepoint(savepoints);
    RunningJob third = a.from(stopped).start();
    third.awaitRecords(300);
    third.finish();

    Output output = postgres.committed(table);
    assertEquals(List.of(), output.missing("A", 0, a.numbers()));
    assertEquals(List.of(), output.doubled("A"));
    assertEquals(List.of(), postgres.prepared(), "nothing is left open");
  }

  @ParameterizedTest
  @EnumSource
  void a_fork_is_refused_if_its_transactions_had_the_names_of_the_running_job(JdbcSinks sink)
      throws Exception {
    String table = postgres.create("named_alike_" + sink);
    String id = JobID.generate().toHexString();
    CountingJob a = job("A", sink, table).withoutCheckpoints().id(id).sinkEpoch(1);
    RunningJob running = a.start();
    running.awaitRecords(300);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    CountingJob fork = job("B", sink, table).id(id).sinkEpoch(2).from(savepoint);

    RuntimeException refusal = assertThrows(RuntimeException.class, fork::start);

    String why = RunningJob.messages(refusal);
    assertTrue(why.contains("is of a job with the same id, " + id), why);
    // With another id, or as the same job again, it may start.
    job("C", sink, table).id(JobID.generate().toHexString()).sinkEpoch(2).from(savepoint).graph();
    job("D", sink, table).id(id).sinkEpoch(1).from(savepoint).graph();
    running.finish();
    assertEquals(List.of(), postgres.committed(table).missing("A", 0, a.numbers()));
    assertEquals(List.of(), postgres.committed(table).doubled("A"));
  }

  /** What the documentation warns of. Should this fail with a newer connector: it may promise. */
  @Test
  void the_connectors_newer_sink_is_not_exactly_once_by_itself() throws Exception {
    String table = postgres.create("doubled");
    CountingJob a = job("A", JdbcSinks.SINK, table).withoutCheckpoints().restarting();
    RunningJob running = a.start();
    running.awaitRecords(300);
    running.savepoint(directory.resolve("savepoints"));
    assertEquals(0, postgres.committed(table).first("A"), "committed too early");
    running.crash();
    running.finish();

    Output output = postgres.committed(table);
    assertEquals(List.of(), output.missing("A", 0, a.numbers()));
    assertNotEquals(List.of(), output.doubled("A"));
  }

  private CountingJob job(String name, JdbcSinks sink, String table) {
    return new CountingJob(name, directory)
        .to(lines -> sink.write(lines, table, postgres.transactions()));
  }
}
