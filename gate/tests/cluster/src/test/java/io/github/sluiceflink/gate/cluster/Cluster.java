package io.github.sluiceflink.gate.cluster;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * A standalone cluster: processes that Flink's own scripts start, with a configuration directory,
 * and the agent only in those JVMs that the test names.
 */
final class Cluster implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(240);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String AGENT =
      "-javaagent:" + Path.of(System.getProperty("gate.agent.jar")).toAbsolutePath().normalize();

  /** Such a JVM is gone before its code could be optimized. */
  private static final String SHORT_LIVED = " -XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

  private final HttpClient client = HttpClient.newHttpClient();
  private final Distribution flink;
  private final Path directory;
  private final Map<String, String> configuration = new TreeMap<>();
  private final List<Process> processes = new ArrayList<>();
  private final int rest = freePort();
  private final long began = System.currentTimeMillis();
  private boolean good;

  /** A cluster that is not started yet; what it writes is below a directory of its own. */
  Cluster(Distribution flink, String name) throws Exception {
    this.flink = flink;
    directory =
        Files.createDirectories(
                Path.of(System.getProperty("gate.runs"), name + "-" + flink + "-" + began))
            .toAbsolutePath();
    for (String key :
        List.of("jobmanager.rpc.address", "jobmanager.bind-host", "taskmanager.host")) {
      with(key, "127.0.0.1");
    }
    with("taskmanager.bind-host", "127.0.0.1");
    with("rest.address", "127.0.0.1");
    with("rest.bind-address", "127.0.0.1");
    with("jobmanager.rpc.port", freePort());
    with("rest.port", rest);
    with("rest.bind-port", rest);
    // What it answers is up to 3 s old otherwise.
    with("web.refresh-interval", 200);
    with("jobmanager.memory.process.size", "1024m");
    with("taskmanager.memory.process.size", "1280m");
    with("taskmanager.numberOfTaskSlots", 2);
    with("cluster.registration.initial-timeout", "100 ms");
    with("cluster.registration.error-delay", "300 ms");
    with("pekko.startup-timeout", "120 s");
    with("execution.shutdown-on-application-finish", false);
    with("parallelism.default", 1);
    with("execution.checkpointing.interval", "500 ms");
    with("execution.checkpointing.dir", directory.resolve("checkpoints").toUri());
    with("restart-strategy.type", "none");
    with("bluegreen.active-deployment-type", "BLUE");
    with("bluegreen.handover.epoch", 1);
    with("bluegreen.handover.directory", directory.resolve("record"));
    with("bluegreen.gate.injection.enabled", true);
    // Nobody hands over: the job is the active one.
    try (RecordStore store = RecordPlace.directory(directory.resolve("record").toString()).open()) {
      HandoverRecord record =
          HandoverRecord.builder()
              .epoch(1)
              .phase(Phase.stable())
              .active(Job.of(Color.BLUE, 1))
              .build();
      store.put(0, record).get(30, TimeUnit.SECONDS);
    }
  }

  /** A key of Flink's configuration. */
  Cluster with(String key, Object value) {
    configuration.put(key, value.toString());
    return this;
  }

  /** The agent in every JobManager of this cluster. */
  Cluster agentInJobManager() {
    return with("env.java.opts.jobmanager", AGENT);
  }

  /** The agent in the client that submits. */
  Cluster agentInClient() {
    return with("env.java.opts.client", AGENT);
  }

  Path directory() {
    return directory;
  }

  /** A JobManager for one application, and a TaskManager. */
  Cluster startApplication(Path jar, String main, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("--jars", jar.toUri().toString()));
    command.addAll(List.of("--job-classname", main));
    command.addAll(arguments);
    process("jobmanager", "standalone-job.sh", command);
    process("taskmanager", "taskmanager.sh", List.of());
    return this;
  }

  /** A JobManager that waits for jobs, and a TaskManager. */
  Cluster startSession() throws Exception {
    process("jobmanager", "jobmanager.sh", List.of());
    process("taskmanager", "taskmanager.sh", List.of());
    await(
        "a TaskManager",
        () -> get("/taskmanagers").filter(it -> !it.get("taskmanagers").isEmpty()));
    return this;
  }

  /** What {@code flink run} says, and whether it was content; the job has ended when it returns. */
  Said run(Path jar, String main, List<String> arguments) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(flink.script("flink").toString(), "run", "-c", main));
    command.add(jar.toString());
    command.addAll(arguments);
    Process client = start("client", command);
    if (!client.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      client.destroyForcibly();
      throw new AssertionError("flink run does not end: " + printed("client"));
    }
    return new Said(client.exitValue() == 0, Files.readString(printed("client")));
  }

  /** What a client has said. */
  record Said(boolean content, String text) {}

  private void process(String what, String script, List<String> arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of(flink.script(script).toString(), "start-foreground"));
    command.addAll(arguments);
    processes.add(start(what, command));
  }

  private Process start(String what, List<String> command) throws IOException {
    Path conf = directory.resolve("conf");
    if (!Files.exists(conf)) {
      Files.createDirectories(conf);
      try (Stream<Path> files = Files.list(flink.home().resolve("conf"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.copy(file, conf.resolve(file.getFileName()));
        }
      }
      // Where Flink reaches into the JDK: the one thing of the default that has to stay. And its
      // key for the time that the actors have to start in does not reach this one of theirs.
      Files.readAllLines(conf.resolve("config.yaml")).stream()
          .filter(line -> line.strip().startsWith("all: --add-"))
          .map(line -> line.strip().substring("all: ".length()))
          .forEach(
              opens ->
                  with(
                      "env.java.opts.all",
                      opens + SHORT_LIVED + " -Dpekko.remote.classic.startup-timeout=120s"));
      StringBuilder text = new StringBuilder();
      configuration.forEach((key, value) -> text.append(key + ": \"" + value + "\"\n"));
      Files.writeString(conf.resolve("config.yaml"), text);
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(key -> key.startsWith("FLINK_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("FLINK_HOME", flink.home().toString());
    builder.environment().put("FLINK_CONF_DIR", conf.toString());
    builder
        .environment()
        .put("FLINK_LOG_DIR", Files.createDirectories(directory.resolve("log")).toString());
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(printed(what).toFile()))
        .start();
  }

  private Path printed(String what) {
    return directory.resolve(what + ".out");
  }

  /** Waits until the newest job has ended, and says what its operators are called. */
  List<String> awaitFinished() throws Exception {
    JsonNode job =
        await(
            "a job that has ended",
            () -> {
              for (Process process : processes) {
                if (!process.isAlive()) {
                  throw new AssertionError("a process has ended; see " + directory);
                }
              }
              return get("/jobs/overview")
                  .map(it -> it.get("jobs"))
                  .filter(jobs -> !jobs.isEmpty())
                  .map(jobs -> jobs.get(0))
                  .filter(it -> it.get("end-time").asLong() > 0);
            });
    if (!job.get("state").asText().equals("FINISHED")) {
      throw new AssertionError("The job is " + job.get("state") + "; see " + directory);
    }
    List<String> operators = new ArrayList<>();
    JsonNode details = get("/jobs/" + job.get("jid").asText()).orElseThrow();
    details.get("vertices").forEach(vertex -> operators.add(vertex.get("name").asText()));
    return operators;
  }

  /** The lines of the files that a sink has committed below this cluster's directory, sorted. */
  List<String> committed(String sink) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory.resolve(sink))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.getFileName().toString().matches("[._].*")) {
          lines.addAll(Files.readAllLines(file));
        }
      }
    }
    lines.sort(null);
    return lines;
  }

  /** To be called when everything was as it should be: nothing is kept then. */
  void isGood() {
    good = true;
  }

  private Optional<JsonNode> get(String path) throws InterruptedException {
    try {
      HttpResponse<String> response =
          client.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + rest + path))
                  .timeout(Duration.ofSeconds(5))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return response.statusCode() == 200
          ? Optional.of(JSON.readTree(response.body()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private interface Look {
    Optional<JsonNode> look() throws Exception;
  }

  private JsonNode await(String what, Look look) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      Optional<JsonNode> found = look.look();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.sleep(100);
    }
    throw new AssertionError("Waited in vain for " + what + "; see " + directory);
  }

  /** Ends every process, and those that it has started. */
  @Override
  public void close() throws Exception {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
    }
    System.out.println(
        directory.getFileName()
            + " took "
            + (System.currentTimeMillis() - began) / 1000
            + " s"
            + (good ? "" : "; see " + directory));
    if (good) {
      try (Stream<Path> all = Files.walk(directory)) {
        all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
      }
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
