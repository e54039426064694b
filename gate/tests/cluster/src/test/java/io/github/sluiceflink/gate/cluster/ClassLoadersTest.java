package io.github.sluiceflink.gate.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.cluster.job.NumbersJob;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The gate's classes are there twice in a JobManager with the agent: in the agent's jar on the
 * class path, and in the small jar that travels with the job. TaskManagers, and the JobManager of a
 * session, have the travelling one alone. Which one the job's class loader takes is a setting of
 * the cluster: child-first, if nobody says otherwise.
 */
class ClassLoadersTest {

  private static final int NUMBERS = 1_000;
  private static final String MAIN = NumbersJob.class.getName();

  @TempDir static Path directory;

  private static Path jar;

  @BeforeAll
  static void packTheJob() throws Exception {
    jar = directory.resolve("numbers.jar");
    String name = MAIN.replace('.', '/') + ".class";
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream packed = new JarOutputStream(file)) {
      packed.putNextEntry(new JarEntry(name));
      packed.write(NumbersJob.class.getResourceAsStream("/" + name).readAllBytes());
      packed.closeEntry();
    }
  }

  @ParameterizedTest
  @MethodSource(Distribution.ALL)
  void an_application_whose_jobmanager_alone_has_the_agent(Distribution flink) throws Exception {
    application(flink, "child-first");
  }

  @Tag("torture")
  @ParameterizedTest
  @MethodSource(Distribution.ALL)
  void an_application_that_takes_its_parents_classes(Distribution flink) throws Exception {
    application(flink, "parent-first");
  }

  private static void application(Distribution flink, String order) throws Exception {
    try (Cluster cluster = new Cluster(flink, "application-" + order)) {
      cluster.with("classloader.resolve-order", order).agentInJobManager();
      cluster.startApplication(jar, MAIN, arguments(cluster));
      assertGated(cluster);
    }
  }

  @ParameterizedTest
  @MethodSource(Distribution.ONE)
  void a_session_of_flink_1_whose_client_alone_has_the_agent(Distribution flink) throws Exception {
    session(flink, "child-first");
  }

  @Tag("torture")
  @ParameterizedTest
  @MethodSource(Distribution.ONE)
  void a_session_of_flink_1_that_takes_its_parents_classes(Distribution flink) throws Exception {
    session(flink, "parent-first");
  }

  private static void session(Distribution flink, String order) throws Exception {
    try (Cluster cluster = new Cluster(flink, "session-" + order)) {
      cluster.with("classloader.resolve-order", order).agentInClient().startSession();
      Cluster.Said said = cluster.run(jar, MAIN, arguments(cluster));
      assertTrue(said.content(), said::text);
      assertGated(cluster);
    }
  }

  @ParameterizedTest
  @MethodSource(Distribution.TWO)
  void a_session_of_flink_2_is_refused_by_the_client(Distribution flink) throws Exception {
    try (Cluster cluster = new Cluster(flink, "refused")) {
      Cluster.Said said = cluster.agentInClient().run(jar, MAIN, arguments(cluster));
      assertTrue(
          said.text()
              .contains(
                  "bluegreen.gate.injection.enabled has no effect on a job that is submitted to a session"
                      + " cluster (remote) of Flink 2; run it in application mode."),
          said::text);
      cluster.isGood();
    }
  }

  private static List<String> arguments(Cluster cluster) {
    return List.of(
        cluster.directory().resolve("files").toUri().toString(), Integer.toString(NUMBERS));
  }

  private static void assertGated(Cluster cluster) throws Exception {
    List<String> operators = cluster.awaitFinished();
    assertTrue(
        operators.stream().anyMatch(name -> name.contains("gate before files -> files: Writer")),
        operators::toString);
    assertEquals(
        LongStream.range(0, NUMBERS).mapToObj(number -> "number " + number).sorted().toList(),
        cluster.committed("files"));
    cluster.isGood();
  }
}
