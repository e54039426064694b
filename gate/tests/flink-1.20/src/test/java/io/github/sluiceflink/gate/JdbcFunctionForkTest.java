package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a fork does to the transactions of the running job where nobody prevents it: with the sink
 * that prepares them, and commits them when the checkpoint is complete. It is there for Flink 1.20
 * only.
 */
class JdbcFunctionForkTest {

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

  @Test
  void without_a_sink_epoch_the_fork_commits_for_the_running_job_and_makes_it_fail()
      throws Exception {
    String table = postgres.create("fails");
    RunningJob running = job("A", table).withoutCheckpoints().start();
    RunningJob fork = forkThatCommits(running, table);

    running.hurry();

    String why = running.failure();
    assertTrue(why.contains("unable to commit XA transaction"), why);
    fork.endQuietly();
    // What it had prepared since is for its next attempt to commit. It does not get one.
    postgres.rollBackPrepared();
  }

  @Test
  void without_a_sink_epoch_what_the_fork_commits_is_written_again_if_the_running_job_restarts()
      throws Exception {
    String table = postgres.create("doubled");
    CountingJob a = job("A", table).withoutCheckpoints().restarting();
    RunningJob running = a.start();
    RunningJob fork = forkThatCommits(running, table);
    running.crash();
    running.finish();
    fork.endQuietly();

    Output output = postgres.committed(table);
    assertEquals(List.of(), output.missing("A", 0, a.numbers()));
    assertNotEquals(List.of(), output.doubled("A"));
  }

  @Test
  void a_restart_alone_doubles_nothing() throws Exception {
    String table = postgres.create("restarted");
    CountingJob a = job("A", table).withoutCheckpoints().restarting();
    RunningJob running = a.start();
    running.awaitRecords(300);
    running.savepoint(directory.resolve("savepoints"));
    running.crash();
    running.finish();

    Output output = postgres.committed(table);
    assertEquals(List.of(), output.missing("A", 0, a.numbers()));
    assertEquals(List.of(), output.doubled("A"));
  }

  @Test
  void a_job_with_the_id_of_the_running_one_rolls_its_transactions_back_and_the_records_are_lost()
      throws Exception {
    String table = postgres.create("lost");
    String id = JobID.generate().toHexString();
    CountingJob a = job("A", table).withoutCheckpoints().restarting().id(id);
    RunningJob running = a.start();
    running.awaitRecords(300);
    running.savepoint(directory.resolve("savepoints"));
    List<String> prepared = postgres.prepared();
    assertEquals(1, prepared.size());
    RunningJob other = job("B", table).writingNothing().withoutCheckpoints().id(id).start();
    postgres.awaitEnd(prepared);
    assertEquals(Long.MAX_VALUE, postgres.committed(table).first("A"), "not committed");

    running.finish();
    other.endQuietly();

    assertNotEquals(List.of(), postgres.committed(table).missing("A", 0, a.numbers()));
  }

  /** Starts a fork of a job that has prepared a transaction, which the fork then commits. */
  private RunningJob forkThatCommits(RunningJob running, String table) throws Exception {
    running.awaitRecords(300);
    String savepoint = running.savepoint(directory.resolve("savepoints"));
    List<String> prepared = postgres.prepared();
    assertEquals(1, prepared.size());
    assertEquals(Long.MAX_VALUE, postgres.committed(table).first("A"), "not committed yet");
    RunningJob fork = job("B", table).writingNothing().withoutCheckpoints().from(savepoint).start();
    postgres.awaitEnd(prepared);
    assertEquals(0, postgres.committed(table).first("A"), "committed by the fork");
    return fork;
  }

  private CountingJob job(String name, String table) {
    return new CountingJob(name, directory)
        .to(lines -> JdbcSinks.FUNCTION.write(lines, table, postgres.transactions()));
  }
}
