package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarInputStream;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where it is not asked for anything, the agent does nothing. */
class UntouchedTest {

  private static final String AGENT = System.getProperty("gate.agent.jar");

  /** What a job is told that could have gates. */
  private static final String OF_THE_OPERATOR =
      "bluegreen.active-deployment-type=BLUE,bluegreen.handover.epoch=1,"
          + "bluegreen.handover.directory=/nowhere";

  @TempDir Path directory;

  @Test
  void without_a_sink_epoch_or_gates_the_submitted_graph_is_the_same_as_without_the_agent()
      throws Exception {
    List<String> disabled =
        List.of(
            "parallelism.default=2",
            "bluegreen.sinks.epoch=0",
            "bluegreen.sinks.epoch=3,bluegreen.sinks.fork-safe=false",
            "bluegreen.gate.injection.enabled=false," + OF_THE_OPERATOR,
            "bluegreen.gate.injection.enabled=true,bluegreen.gate.strategy=SAVEPOINT,"
                + OF_THE_OPERATOR);
    List<String> andOneEnabled = new ArrayList<>(disabled);
    andOneEnabled.add("bluegreen.sinks.epoch=3");
    andOneEnabled.add("bluegreen.gate.injection.enabled=true," + OF_THE_OPERATOR);

    String without = fingerprints(false, disabled);
    String with = fingerprints(true, andOneEnabled);

    assertEquals(without, with.substring(0, without.length()));
    // And this is not because the agent never does anything.
    String enabled = with.substring(without.length());
    assertTrue(enabled.contains("bluegreen.internal.operator-ids="), enabled);
    assertTrue(enabled.contains("gate before "), enabled);
  }

  @Test
  void the_jar_brings_nothing_that_a_job_could_meet() throws IOException {
    try (JarFile jar = new JarFile(AGENT)) {
      List<String> foreign =
          jar.stream()
              .map(entry -> entry.getName())
              .filter(name -> !name.endsWith("/"))
              .filter(name -> !name.startsWith("io/github/sluiceflink/gate/"))
              .filter(name -> !name.startsWith("META-INF/licenses/"))
              .filter(name -> !name.matches("META-INF/(MANIFEST\\.MF|LICENSE|NOTICE)"))
              .collect(Collectors.toList());
      assertEquals(List.of(), foreign);
    }
  }

  @Test
  void task_managers_are_sent_the_gates_classes_and_nothing_of_the_agent() throws IOException {
    List<String> classes = new ArrayList<>();
    try (JarFile jar = new JarFile(AGENT);
        JarInputStream sent =
            new JarInputStream(
                jar.getInputStream(
                    jar.getEntry(
                        "io/github/sluiceflink/gate/injection/bluegreen-agent-gate.jar")))) {
      for (JarEntry entry = sent.getNextJarEntry(); entry != null; entry = sent.getNextJarEntry()) {
        if (!entry.isDirectory()) {
          classes.add(entry.getName());
          // What the JobManager makes the graph with has to be what TaskManagers read it with.
          assertArrayEquals(
              jar.getInputStream(jar.getEntry(entry.getName())).readAllBytes(),
              sent.readAllBytes(),
              entry.getName());
        }
      }
    }
    assertTrue(classes.contains("io/github/sluiceflink/gate/flink/GateOperator.class"));
    assertTrue(classes.contains("io/github/sluiceflink/gate/handover/Judge.class"));
    classes.removeIf(
        name ->
            name.matches("io/github/sluiceflink/gate/((flink|handover|record)/.*|Gate\\.class)"));
    assertEquals(List.of(), classes);
  }

  /** What the same program prints in a JVM of its own. */
  private String fingerprints(boolean agent, List<String> configurations) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx512m");
    command.add("-XX:TieredStopAtLevel=1");
    for (String opened : List.of("java.util", "java.lang", "java.time")) {
      command.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
    }
    if (agent) {
      command.add("-javaagent:" + AGENT);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Fingerprint.class.getName());
    command.add(directory.toString());
    command.addAll(configurations);
    Path printed = Files.createTempFile(directory, "fingerprint", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(printed.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals(0, process.waitFor());
    return Files.readString(printed);
  }
}
