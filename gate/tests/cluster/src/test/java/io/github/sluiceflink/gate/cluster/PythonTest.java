package io.github.sluiceflink.gate.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs in Python, started as Flink's Kubernetes operator starts them: the entry class is
 * PyFlink's driver, and the agent is in the JobManager. What they write is compared with what the
 * same program has to write by its own logic, and without gates has written.
 */
class PythonTest {

  private static final int NUMBERS = 1_000;

  @Tag("python")
  @ParameterizedTest
  @MethodSource(Distribution.TWO)
  void tables(Distribution flink) throws Exception {
    writeTables(flink);
  }

  @Tag("torture")
  @ParameterizedTest
  @MethodSource(Distribution.ONE)
  void tables_of_flink_1(Distribution flink) throws Exception {
    writeTables(flink);
  }

  private static void writeTables(Distribution flink) throws Exception {
    Path python = PythonPackages.forTables(flink);
    try (Cluster cluster = start(flink, python, "table_job.py")) {
      List<String> operators = cluster.awaitFinished();
      assertGates(operators, 2);
      assertEquals(
          LongStream.range(0, NUMBERS)
              .mapToObj(number -> number + ",even " + number % 2)
              .sorted()
              .map(line -> line.replace("even 0", "even").replace("even 1", "odd"))
              .toList(),
          cluster.committed("rows").stream()
              .map(line -> line.replaceFirst("\"?\\d{4}-[^,]*,", "").replace("\"", ""))
              .sorted()
              .toList());
      // Windows of 50 s, and a number for each second.
      assertEquals(
          Collections.nCopies(NUMBERS / 50, "50"),
          cluster.committed("windows").stream().map(line -> line.split(",")[1]).toList());
      cluster.isGood();
    }
  }

  /** A function in Python before the sink, in a process of its own beside the TaskManager. */
  @Tag("torture")
  @ParameterizedTest
  @MethodSource(Distribution.ALL)
  void functions(Distribution flink) throws Exception {
    Path python = PythonPackages.forFunctions(flink);
    try (Cluster cluster = start(flink, python, "function_job.py")) {
      assertGates(cluster.awaitFinished(), 1);
      List<String> expected = new ArrayList<>();
      for (long number = 0; number < NUMBERS; number++) {
        expected.add("number " + number + " is the " + (number / 7 + 1) + ". of its key");
      }
      expected.sort(null);
      assertEquals(expected, cluster.committed("lines"));
      cluster.isGood();
    }
  }

  private static Cluster start(Distribution flink, Path python, String program) throws Exception {
    Cluster cluster = new Cluster(flink, "python-" + program.replaceFirst("_.*", ""));
    Path file = cluster.directory().resolve(program);
    try (InputStream source = PythonTest.class.getResourceAsStream("/" + program)) {
      Files.copy(source, file);
    }
    cluster.agentInJobManager().with("python.executable", python);
    return cluster.startApplication(
        flink.pythonJar(),
        "org.apache.flink.client.python.PythonDriver",
        List.of(
            "-pyclientexec",
            python.toString(),
            "-py",
            file.toString(),
            cluster.directory().toUri().toString(),
            Integer.toString(NUMBERS)));
  }

  private static void assertGates(List<String> operators, int gates) {
    long found =
        operators.stream().mapToLong(name -> name.split("gate before ", -1).length - 1).sum();
    assertTrue(found == gates, operators::toString);
  }
}
