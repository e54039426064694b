package io.github.sluiceflink.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole job on a Flink cluster in this process: what is in the committed files is what counts.
 */
@Timeout(60)
class LedgerJobTest {
  private static final int SPLITS = 4;
  private static final int ACCOUNTS = 5;

  private static MiniCluster cluster;

  @TempDir Path directory;
  private Path input;
  private Path output;
  private final Map<Integer, Long> written = new HashMap<>();

  @BeforeAll
  static void startCluster() throws Exception {
    cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(4)
                .withRandomPorts()
                .build());
    cluster.start();
  }

  @AfterAll
  static void stopCluster() throws Exception {
    cluster.close();
  }

  @BeforeEach
  void makeInput() throws IOException {
    input = Files.createDirectory(directory.resolve("in"));
    output = directory.resolve("out");
  }

  @Test
  void stopWithSavepointAndRestoreWritesEveryEventOnceWithTheRightBalance() throws Exception {
    append(200);
    JobID first = submit("v1", 2, null);
    awaitCommitted(SPLITS * 200);
    String savepoint =
        cluster
            .stopWithSavepoint(
                first,
                directory.resolve("savepoints").toUri().toString(),
                false,
                SavepointFormatType.CANONICAL)
            .get(30, TimeUnit.SECONDS);
    awaitStatus(first, JobStatus.FINISHED);
    assertCompleteUpToNow();

    // Another version, another parallelism: the splits are spread anew.
    append(100);
    JobID second = submit("v2", 3, savepoint);
    awaitCommitted(SPLITS * 300);
    append(50);
    awaitCommitted(SPLITS * 350);
    cluster.cancelJob(second).get(30, TimeUnit.SECONDS);

    assertCompleteUpToNow();
    Map<String, Long> byVersion =
        rows().stream()
            .collect(Collectors.groupingBy(row -> row.label, TreeMap::new, Collectors.counting()));
    assertEquals(Map.of("v1", SPLITS * 200L, "v2", SPLITS * 150L), byVersion);
  }

  @Test
  void aForkFromASavepointReplaysExactlyWhatCameAfterIt() throws Exception {
    append(100);
    JobID running = submit("v1", 1, null);
    awaitCommitted(SPLITS * 100);
    String savepoint =
        cluster
            .triggerSavepoint(
                running,
                directory.resolve("savepoints").toUri().toString(),
                false,
                SavepointFormatType.CANONICAL)
            .get(30, TimeUnit.SECONDS);
    append(80);
    awaitCommitted(SPLITS * 180);
    cluster.cancelJob(running).get(30, TimeUnit.SECONDS);
    List<Row> original = rows();

    output = directory.resolve("fork");
    JobID fork = submit("fork", 2, savepoint);
    awaitCommitted(SPLITS * 80);
    cluster.cancelJob(fork).get(30, TimeUnit.SECONDS);

    // The first job had written the first hundred of each split by the savepoint: the fork has just
    // the rest.
    Map<String, Row> replayed =
        rows().stream().collect(Collectors.toMap(row -> row.key(), row -> row));
    assertEquals(SPLITS * 80, replayed.size());
    for (Row row : original) {
      assertEquals(row.sequence >= 100, replayed.containsKey(row.key()), row.key());
    }
    assertEquals(balances(original), balances(new ArrayList<>(replayed.values())));
  }

  @Test
  void aTaskThatFailsAgainAndAgainWritesNothingTwice() throws Exception {
    append(10);
    // Each attempt fails after 60 events; what a checkpoint has kept of an attempt stays.
    JobID job = submit("v1", 1, null, "--fail-after", "60");
    awaitCommitted(SPLITS * 10);
    append(100);
    awaitStatus(job, JobStatus.FAILED);

    List<String> keys = rows().stream().map(Row::key).collect(Collectors.toList());
    assertEquals(keys.size(), keys.stream().distinct().count());
    assertTrue(keys.size() < SPLITS * 110, "the failing version must not get to the end");
  }

  @Test
  void everySecondOfEveryAccountIsCountedOnce() throws Exception {
    append(100);
    JobID job = submit("v1", 2, null);
    Path windows = LedgerJob.windows(output);
    // Ten events of 100 ms a second and split; the last second is not over before later events
    // come.
    awaitCondition(
        "nine seconds are counted",
        () -> {
          long counted = 0;
          for (String line : lines(windows)) {
            counted += Long.parseLong(line.split(",")[2]);
          }
          return counted == SPLITS * 90;
        });
    cluster.cancelJob(job).get(30, TimeUnit.SECONDS);
    List<String> keys =
        lines(windows).stream()
            .map(line -> line.substring(0, line.indexOf(',', line.indexOf(',') + 1)))
            .collect(Collectors.toList());
    assertEquals(keys.size(), keys.stream().distinct().count());
  }

  @Test
  void inEventTimeOrderTheBalanceAfterEachBookingIsTheSameWhateverTheParallelism()
      throws Exception {
    append(100);
    // The watermark is 500 ms behind the last event, and the events of each split are 100 ms apart.
    int complete = SPLITS * 94;
    Map<String, Long> balances = null;
    for (int parallelism : List.of(1, 3)) {
      output = directory.resolve("out-" + parallelism);
      JobID job = submit("v1", parallelism, null, "--in-event-time-order");
      awaitCommitted(complete);
      cluster.cancelJob(job).get(30, TimeUnit.SECONDS);
      Map<String, Long> found =
          rows().stream().collect(Collectors.toMap(Row::key, row -> row.balance));
      assertEquals(complete, found.size());
      assertEquals(balances == null ? found : balances, found);
      balances = found;
    }
  }

  private JobID submit(String label, int parallelism, String savepoint, String... more)
      throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString(
        "execution.checkpointing.dir", directory.resolve("checkpoints").toUri().toString());
    configuration.setString("restart-strategy.type", "fixed-delay");
    configuration.setString("restart-strategy.fixed-delay.attempts", "2");
    configuration.setString("restart-strategy.fixed-delay.delay", "10 ms");
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(configuration)
            .setParallelism(parallelism);
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--input", input.toString(), "--output", output.toString()));
    arguments.addAll(
        List.of("--splits", "" + SPLITS, "--label", label, "--checkpoint-interval-ms", "200"));
    arguments.addAll(List.of(more));
    LedgerJob.build(env, LedgerArguments.parse(arguments.toArray(new String[0])));
    JobGraph graph = env.getStreamGraph().getJobGraph();
    if (savepoint != null) {
      graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint));
    }
    return cluster.submitJob(graph).get(30, TimeUnit.SECONDS).getJobID();
  }

  /** Appends {@code count} events to every split, 100 ms of event time from one to the next. */
  private void append(int count) throws IOException {
    for (int split = 0; split < SPLITS; split++) {
      long from = written.getOrDefault(split, 0L);
      StringBuilder text = new StringBuilder();
      for (long sequence = from; sequence < from + count; sequence++) {
        text.append(sequence).append(",account-").append((sequence + split) % ACCOUNTS);
        text.append(',').append(sequence % 11 - 3).append(',').append(sequence * 100).append('\n');
      }
      written.put(split, from + count);
      Files.writeString(
          input.resolve("split-" + split + ".log"),
          text,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    }
  }

  /**
   * Every event that was appended is in the output once, and every balance follows from those
   * before.
   */
  private void assertCompleteUpToNow() throws IOException {
    List<Row> rows = rows();
    List<String> expected = new ArrayList<>();
    written.forEach(
        (split, count) -> {
          for (long sequence = 0; sequence < count; sequence++) {
            expected.add(split + "," + sequence);
          }
        });
    assertEquals(
        expected.stream().sorted().collect(Collectors.toList()),
        rows.stream().map(Row::key).sorted().collect(Collectors.toList()));
    for (List<Row> account :
        rows.stream().collect(Collectors.groupingBy(row -> row.account)).values()) {
      account.sort(Comparator.comparingLong(row -> row.count));
      long balance = 0;
      for (int i = 0; i < account.size(); i++) {
        balance += account.get(i).amount;
        assertEquals(i + 1, account.get(i).count, account.get(i).account);
        assertEquals(balance, account.get(i).balance, account.get(i).account + " after " + (i + 1));
      }
    }
  }

  /** The last balance of every account. */
  private static Map<String, Long> balances(List<Row> rows) {
    Map<String, Row> last = new TreeMap<>();
    for (Row row : rows) {
      last.merge(row.account, row, (one, other) -> one.count > other.count ? one : other);
    }
    return last.values().stream().collect(Collectors.toMap(row -> row.account, row -> row.balance));
  }

  private List<Row> rows() throws IOException {
    return lines(output).stream().map(Row::new).collect(Collectors.toList());
  }

  /** The lines of the committed part files: Flink hides what is not committed behind a dot. */
  private static List<String> lines(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return List.of();
    }
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file :
          files
              .filter(f -> f.getFileName().toString().startsWith("part-"))
              .collect(Collectors.toList())) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }

  private void awaitCommitted(int rows) throws Exception {
    awaitCondition(rows + " rows are committed", () -> lines(output).size() >= rows);
  }

  private static void awaitStatus(JobID job, JobStatus status) throws Exception {
    awaitCondition("the job is " + status, () -> cluster.getJobStatus(job).get() == status);
  }

  private static void awaitCondition(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
    while (!condition.call()) {
      assertTrue(System.nanoTime() < deadline, "Waited 40 s in vain until " + what + ".");
      Thread.sleep(50);
    }
  }

  /** One line of the output. */
  private static final class Row {
    private final String split;
    private final long sequence;
    private final String account;
    private final long amount;
    private final long balance;
    private final long count;
    private final String label;

    private Row(String line) {
      String[] fields = line.split(",", -1);
      assertEquals(8, fields.length, line);
      split = fields[0];
      sequence = Long.parseLong(fields[1]);
      account = fields[2];
      amount = Long.parseLong(fields[3]);
      balance = Long.parseLong(fields[4]);
      count = Long.parseLong(fields[5]);
      label = fields[7];
    }

    private String key() {
      return split + "," + sequence;
    }
  }
}
