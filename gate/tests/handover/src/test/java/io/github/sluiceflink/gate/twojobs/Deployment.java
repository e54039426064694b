package io.github.sluiceflink.gate.twojobs;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.api.common.JobID;

/** One job on Flink: its JobManager and TaskManagers, each a process. */
final class Deployment implements AutoCloseable {

  static final Duration PATIENCE = Duration.ofSeconds(240);

  private static final Set<String> ENDED = Set.of("FINISHED", "FAILED", "CANCELED");

  private final String name;
  private final Path directory;
  private final Map<String, String> configuration = new TreeMap<>();
  private final List<String> options = new ArrayList<>();
  private final List<String> arguments = new ArrayList<>();
  private final String job = new JobID().toHexString();
  private final int rest = freePort();
  private final int rpc = freePort();
  private final Flink flink = new Flink(rest);
  private final List<Jvm> taskManagers = new ArrayList<>();
  private final List<Path> jobManagerLogs = new ArrayList<>();
  private Jvm jobManager;
  private int started;

  /**
   * A deployment of a colour, not started yet.
   *
   * @param directory of the test; the deployments of one test write to the same output
   */
  Deployment(String color, String name, Path directory, Input input) throws IOException {
    this.name = name;
    this.directory = directory.toAbsolutePath();
    arguments.addAll(input.toArguments());
    arguments.add("color=" + color);
    argument("lag", "0");
    argument("rolling", "on-checkpoint");
    argument("output", this.directory.resolve("output").toUri().toString());
    defaults();
    with("bluegreen.active-deployment-type", color);
  }

  /** Small processes that notice soon when another one is gone. */
  private void defaults() {
    String local = "127.0.0.1";
    with("jobmanager.rpc.address", local);
    with("jobmanager.rpc.port", rpc);
    with("jobmanager.bind-host", local);
    with("taskmanager.host", local);
    with("taskmanager.bind-host", local);
    with("rest.address", local);
    with("rest.bind-address", local);
    with("rest.port", rest);
    with("rest.bind-port", rest);
    // What it answers is up to 3 s old otherwise, and most of a handover is waiting for answers.
    with("web.refresh-interval", 200);
    with("blob.server.port", 0);
    with("cluster.registration.error-delay", "300 ms");
    with("cluster.registration.initial-timeout", "100 ms");
    // The defaults give up on a machine that has more to do than it can. A question that was lost
    // while its process came up is asked again only after so long.
    with("pekko.startup-timeout", "120 s");
    with("pekko.ask.timeout", "20 s");
    with("heartbeat.interval", "500 ms");
    with("heartbeat.timeout", "8 s");
    with("execution.shutdown-on-application-finish", false);
    with("execution.submit-failed-job-on-application-error", true);
    with("$internal.pipeline.job-id", job);
    with("taskmanager.numberOfTaskSlots", 3);
    with("taskmanager.cpu.cores", "1.0");
    with("taskmanager.memory.framework.heap.size", "48m");
    with("taskmanager.memory.framework.off-heap.size", "32m");
    with("taskmanager.memory.task.heap.size", "96m");
    with("taskmanager.memory.task.off-heap.size", "0");
    with("taskmanager.memory.network.min", "12m");
    with("taskmanager.memory.network.max", "12m");
    with("taskmanager.memory.managed.size", "0");
    with("taskmanager.memory.jvm-metaspace.size", "112m");
    with("taskmanager.memory.jvm-overhead.min", "64m");
    with("taskmanager.memory.jvm-overhead.max", "64m");
    with("taskmanager.memory.segment-size", "8kb");
    with("parallelism.default", 2);
    with("pipeline.max-parallelism", 128);
    with("pipeline.auto-watermark-interval", "40 ms");
    with("execution.buffer-timeout.interval", "20 ms");
    with("execution.checkpointing.interval", "500 ms");
    with("execution.checkpointing.timeout", "20 s");
    with("execution.checkpointing.tolerable-failed-checkpoints", 1000);
    with("execution.checkpointing.dir", checkpoints().toUri());
    with("execution.checkpointing.num-retained", 3);
    with("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    with("restart-strategy.type", "fixed-delay");
    with("restart-strategy.fixed-delay.attempts", 1000);
    with("restart-strategy.fixed-delay.delay", "200 ms");
  }

  /** A key of Flink's configuration. */
  Deployment with(String key, Object value) {
    configuration.put(key, value.toString());
    return this;
  }

  /** An option of the JobManager's JVM. */
  Deployment option(String option) {
    options.add(option);
    return this;
  }

  /** An argument of the program, instead of the one of this name that it has. */
  Deployment argument(String key, String value) {
    arguments.removeIf(argument -> argument.startsWith(key + "="));
    arguments.add(key + "=" + value);
    return this;
  }

  String job() {
    return job;
  }

  Flink flink() {
    return flink;
  }

  private Path checkpoints() {
    return directory.resolve("checkpoints-" + name);
  }

  String savepoints() {
    return directory.resolve("savepoints-" + name).toUri().toString();
  }

  /** Starts a JobManager and a TaskManager. */
  Deployment start() throws IOException {
    startJobManager(Optional.ofNullable(configuration.get("execution.savepoint.path")));
    startTaskManager();
    return this;
  }

  boolean isStarted() {
    return jobManager != null;
  }

  private void startJobManager(Optional<String> from) throws IOException {
    from.ifPresent(it -> with("execution.savepoint.path", it));
    List<String> all = new ArrayList<>();
    all.add(writeConfiguration("jobmanager").toString());
    all.add(LedgerJob.class.getName());
    all.addAll(arguments);
    List<String> more = new ArrayList<>(options);
    more.addAll(List.of("-Xmx192m", "-XX:MaxMetaspaceSize=128m"));
    more.add("-javaagent:" + Path.of(System.getProperty("gate.agent.jar")));
    jobManager = Jvm.start(log("jobmanager"), more, JobManagerProcess.class.getName(), all);
    jobManagerLogs.add(jobManager.log());
  }

  void startTaskManager() throws IOException {
    taskManagers.add(
        Jvm.start(
            log("taskmanager"),
            List.of("-Xmx176m", "-XX:MaxMetaspaceSize=128m", "-XX:MaxDirectMemorySize=64m"),
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            List.of("--configDir", writeConfiguration("taskmanager").toString())));
  }

  private Path log(String what) {
    started++;
    return directory.resolve("log").resolve(name + "-" + started + "-" + what + ".log");
  }

  private Path writeConfiguration(String what) throws IOException {
    Path conf = directory.resolve("conf-" + name + "-" + what + "-" + started);
    Files.createDirectories(conf);
    with("io.tmp.dirs", Files.createDirectories(directory.resolve("tmp-" + name)));
    StringBuilder text = new StringBuilder();
    configuration.forEach(
        (key, value) -> text.append('"').append(key).append("\": \"").append(value).append("\"\n"));
    Files.writeString(conf.resolve("config.yaml"), text);
    return conf;
  }

  /** Waits until every task runs. */
  Deployment awaitRunning() throws Exception {
    awaitState("RUNNING");
    return this;
  }

  void awaitState(String wanted) throws Exception {
    Wait.until(
        name + " to be " + wanted,
        PATIENCE,
        () -> {
          String state = flink.state(job);
          if (!state.equals(wanted) && ENDED.contains(state)) {
            throw new AssertionError(name + " is " + state + ": see " + directory.resolve("log"));
          }
          revive();
          return state.equals(wanted);
        });
  }

  /**
   * What died of itself comes back, as in Kubernetes: it may not come up in time if the machine is
   * busy.
   */
  private void revive() throws IOException {
    for (Jvm taskManager : List.copyOf(taskManagers)) {
      if (!taskManager.isAlive()) {
        taskManagers.remove(taskManager);
        startTaskManager();
      }
    }
    if (jobManager != null && !jobManager.isAlive()) {
      killJobManager();
    }
  }

  /** Waits until its JobManagers have said so often that the job is held back. */
  void awaitHeldBack(int times) throws Exception {
    awaitLog("waits, before it is submitted,", times);
  }

  /** Waits until this stands in its JobManagers' logs so often. */
  void awaitLog(String text, int times) throws Exception {
    Wait.until(
        name + " to say \"" + text + "\"",
        PATIENCE,
        () -> {
          revive();
          long said = 0;
          for (Path log : jobManagerLogs) {
            said += Files.exists(log) ? count(Files.readString(log), text) : 0;
          }
          return said >= times;
        });
  }

  private static long count(String all, String text) {
    return all.lines().filter(line -> line.contains(text)).count();
  }

  /** Waits until so many TaskManagers are registered. */
  void awaitTaskManagers(long wanted) throws Exception {
    Wait.until(
        name + " to have " + wanted + " TaskManagers",
        PATIENCE,
        () -> flink.taskManagers() >= wanted);
  }

  /** Waits until so many more checkpoints have completed. */
  void awaitCheckpoints(int more) throws Exception {
    long enough = flink.completedCheckpoint(job) + more;
    Wait.until(
        name + "'s checkpoint " + enough, PATIENCE, () -> flink.completedCheckpoint(job) >= enough);
  }

  /** A TaskManager dies, and another one comes up. */
  void killTaskManager() throws Exception {
    loseTaskManager();
    startTaskManager();
  }

  /** A TaskManager dies, and none comes up in its place. */
  void loseTaskManager() {
    taskManagers.remove(taskManagers.size() - 1).kill();
  }

  /**
   * The JobManager dies, and is started again from the newest completed checkpoint, at the same
   * address; the TaskManagers live on.
   */
  void killJobManager() throws IOException {
    jobManager.kill();
    Optional<String> newest = Checkpoints.newest(checkpoints(), job);
    startJobManager(
        newest.or(() -> Optional.ofNullable(configuration.get("execution.savepoint.path"))));
  }

  Jvm jobManager() {
    return jobManager;
  }

  Jvm taskManager() {
    return taskManagers.get(taskManagers.size() - 1);
  }

  /** Everything is killed. */
  @Override
  public void close() {
    if (jobManager != null) {
      jobManager.kill();
    }
    for (Jvm taskManager : taskManagers) {
      taskManager.kill();
    }
    taskManagers.clear();
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
