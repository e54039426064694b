package io.github.sluiceflink.gate.twojobs;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A process of Flink: a JVM with the class path of these tests, but none of the gate's classes. */
final class Jvm {

  private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
  }

  private final Process process;
  private final Path log;

  private Jvm(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * Starts a JVM.
   *
   * @param log its log file; what it prints goes to a file beside it
   */
  static Jvm start(Path log, List<String> options, String main, List<String> arguments)
      throws IOException {
    Files.createDirectories(log.getParent());
    Path logging = log.resolveSibling("log4j.properties");
    try (var properties = Jvm.class.getResourceAsStream("/log4j-processes.properties")) {
      Files.write(logging, properties.readAllBytes());
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
    command.addAll(List.of(System.getProperty("gate.jvm.opens").trim().split(" +")));
    // Flink has a key for it, which does not reach this one; 10 s are not enough on a busy machine.
    command.add("-Dpekko.remote.classic.startup-timeout=120s");
    command.add("-Dlog.file=" + log);
    command.add("-Dlog4j.configurationFile=" + logging.toUri());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath(), main));
    command.addAll(arguments);
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(log + ".out")))
            .start();
    RUNNING.add(process);
    return new Jvm(process, log);
  }

  /** The jobs' processes get the gate's classes from the agent alone. */
  private static String classPath() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(all.split(File.pathSeparator))
        .filter(entry -> !entry.matches(".*/gate[/-](runtime|flink|agent)([/-].*)?"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  boolean isAlive() {
    return process.isAlive();
  }

  Path log() {
    return log;
  }

  /** SIGKILL, and waits for the end. */
  void kill() {
    process.destroyForcibly().onExit().orTimeout(10, TimeUnit.SECONDS).join();
    RUNNING.remove(process);
  }

  /** SIGSTOP. */
  void freeze() throws Exception {
    signal("STOP");
  }

  /** SIGCONT. */
  void thaw() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    int code =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    if (code != 0) {
      throw new AssertionError("kill -" + name + " " + process.pid() + " failed: " + code);
    }
  }
}
