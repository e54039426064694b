package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where it is not asked for anything, the agent does nothing. */
class UntouchedTest {

  private static final String AGENT = System.getProperty("gate.agent.jar");

  @TempDir Path directory;

  @Test
  void without_a_sink_epoch_the_submitted_graph_is_the_same_as_without_the_agent()
      throws Exception {
    List<String> disabled =
        List.of(
            "parallelism.default=2",
            "bluegreen.sinks.epoch=0",
            "bluegreen.sinks.epoch=3,bluegreen.sinks.fork-safe=false");
    List<String> andOneEnabled = new ArrayList<>(disabled);
    andOneEnabled.add("bluegreen.sinks.epoch=3");

    String without = fingerprints(false, disabled);
    String with = fingerprints(true, andOneEnabled);

    assertEquals(without, with.substring(0, without.length()));
    // And this is not because the agent never does anything.
    assertTrue(with.substring(without.length()).contains("bluegreen.internal.operator-ids="), with);
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
