package io.github.sluiceflink.gate.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Report;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several processes at one directory. */
class FileRecordProcessesTest {

  private static final String CLASS = Player.class.getName();

  @TempDir Path directory;

  private final List<Process> processes = new ArrayList<>();

  /** A {@link Player} in a JVM of its own. */
  private final class Child {
    private final Process process;
    private final PrintStream input;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    Child(String shell) throws IOException {
      List<String> command = new ArrayList<>(List.of("sh", "-c", shell + "exec \"$@\"", "sh"));
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), CLASS));
      command.addAll(List.of("directory", directory.toString()));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      processes.add(process);
      input = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
      BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      ThreadedStore.daemon(() -> listen(output), "output").start();
    }

    private void listen(BufferedReader output) {
      try {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
          lines.add(line);
        }
      } catch (IOException e) {
        // It was killed.
      }
    }

    void say(String line) {
      input.println(line);
    }

    /** What follows the beginning of the next line that begins like this. */
    String waitFor(String beginning) throws InterruptedException {
      while (true) {
        String line = lines.poll(60, TimeUnit.SECONDS);
        assertTrue(line != null, () -> "nothing that begins with " + beginning + " was said");
        if (line.startsWith(beginning)) {
          return line.substring(beginning.length()).trim();
        }
      }
    }
  }

  @AfterEach
  void end() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void whatSeveralProcessesAddIsThereOnceEach() throws Exception {
    int times = 60;
    RecordDirectory record = new RecordDirectory(directory);
    record.write(0, Samples.PREPARE);
    List<Child> children = List.of(new Child(""), new Child(""), new Child(""), new Child(""));
    for (Child child : children) {
      child.say("watch");
      child.waitFor("READ");
    }
    children.forEach(it -> it.say("count " + times));
    Set<Long> counted = new TreeSet<>();
    int answers = 0;
    for (Child child : children) {
      for (int left = times; left > 0; left--) {
        counted.add(Long.parseLong(child.waitFor("COUNTED")));
        answers++;
      }
    }
    assertEquals(answers, counted.size(), "two were told of the same number: " + counted);
    RecordDirectory.Version newest = record.newest().orElseThrow();
    assertEquals(answers, newest.handover.blue().map(Report::attempt).orElse(0L));
    assertEquals(answers + 1, newest.number);
  }

  @Test
  void aProcessThatIsKilledLeavesWholeVersionsOnly() throws Exception {
    RecordDirectory record = new RecordDirectory(directory);
    record.write(0, Samples.PREPARE);
    Child lives = new Child("");
    lives.say("watch");
    long highest = 0;
    for (int round = 0; round < 5; round++) {
      Child dies = new Child("");
      dies.say("watch");
      dies.say("count 1000000");
      for (int left = 5 + round; left > 0; left--) {
        highest = Math.max(highest, Long.parseLong(dies.waitFor("COUNTED")));
      }
      dies.process.destroyForcibly().waitFor();
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.filter(it -> it.toString().endsWith(".json")).toArray(Path[]::new)) {
          Player.decode(Files.readString(file));
        }
      }
    }
    RecordDirectory.Version newest = record.newest().orElseThrow();
    assertTrue(newest.handover.blue().map(Report::attempt).orElse(0L) >= highest);
    lives.say("count 1");
    assertEquals(newest.number + 1, Long.parseLong(lives.waitFor("COUNTED")) + 1);
  }

  /** As on a full disk, a write stops in the middle of the file. */
  @Test
  void aWriteThatFailsHalfwayIsNeverSeenAndSaysWhy() throws Exception {
    RecordDirectory record = new RecordDirectory(directory);
    Child limited = new Child("ulimit -f 0; ");
    record.write(0, Samples.PREPARE);
    limited.say("watch");
    limited.waitFor("READ 1 ");
    for (int tries = 0; tries < 3; tries++) {
      limited.say("write 1 1");
      String said = limited.waitFor("FAILED");
      System.out.println(said);
      assertTrue(
          said.startsWith(
              "nothing is known of the write of version 2 of the handover record in " + directory),
          said);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(1, files.count());
    }
    record.write(1, Samples.PREPARE.with(Color.BLUE, Samples.ABORT));
    assertTrue(limited.waitFor("READ 2 ").contains("ABORT"));
  }

  @Test
  void anotherProcessHearsOfAWriteAtOnce() throws Exception {
    RecordDirectory record = new RecordDirectory(directory);
    HandoverRecord last = Samples.PREPARE;
    record.write(0, last);
    Child listener = new Child("");
    listener.say("watch");
    listener.waitFor("READ 1 ");
    long[] written = new long[50];
    long[] heard = new long[written.length];
    for (int number = 0; number < written.length; number++) {
      last = last.with(Color.BLUE, Samples.report(number));
      long before = micros();
      record.write(number + 1, last);
      written[number] = micros() - before;
      String[] words = listener.waitFor("READ " + (number + 2) + " ").split(" ", 2);
      heard[number] = Long.parseLong(words[0]) - before;
    }
    Arrays.sort(written);
    Arrays.sort(heard);
    System.out.printf(
        "a write: median %d µs, highest %d µs; from its begin to the listener in another process:"
            + " median %d µs, highest %d µs%n",
        written[25], written[49], heard[25], heard[49]);
    // A poll would need half a second.
    assertTrue(heard[25] < 400_000, Arrays.toString(heard));
  }

  private static long micros() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
  }
}
