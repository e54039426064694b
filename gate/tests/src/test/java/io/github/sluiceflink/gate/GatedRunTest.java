package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gated jobs run, and while nobody hands them over, every record goes through once. */
class GatedRunTest {

  @TempDir Path directory;

  @BeforeEach
  void nobody_hands_over() throws Exception {
    Gated.stable(record());
  }

  @Test
  void every_kind_of_sink_gets_every_record_once() throws Exception {
    StreamExecutionEnvironment environment = environment();
    EverySink.build(environment, "run ", directory);

    environment.execute("every sink");

    Collection<String> lines = lines(number -> "line " + number, 1);
    Collection<String> odds = lines(number -> "odd " + number, 2);
    List<String> three = new ArrayList<>(lines);
    three.addAll(lines);
    three.addAll(odds);
    assertAll(
        () -> assertCounts("legacy", lines, Written.to("run legacy")),
        () -> assertCounts("own group", lines, Written.to("run own group")),
        () -> assertCounts("staged", lines, Written.to("run staged")),
        () -> assertCounts("alone", lines, Written.to("run alone")),
        () -> assertCounts("head", lines, Written.to("run head")),
        () -> assertCounts("broadcast", twice(lines), Written.to("run broadcast")),
        () -> assertCounts("files", lines(String::valueOf, 2), committed("files")),
        () -> assertCounts("compacted", three, committed("compacted")));
  }

  @Test
  void a_job_that_its_main_method_does_not_wait_for() throws Exception {
    StreamExecutionEnvironment environment = environment();
    EverySink.build(environment, "async ", directory);
    environment.executeAsync("every sink").getJobExecutionResult().get();
    assertCounts("legacy", lines(number -> "line " + number, 1), Written.to("async legacy"));
  }

  private StreamExecutionEnvironment environment() {
    Configuration configuration = Gated.configuration(record());
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }

  private Path record() {
    return directory.resolve("record");
  }

  private static List<String> lines(Function<Long, String> line, int step) {
    return LongStream.range(0, EverySink.NUMBERS)
        .filter(number -> step == 1 || number % step == 1)
        .boxed()
        .map(line)
        .collect(Collectors.toList());
  }

  private static List<String> twice(Collection<String> lines) {
    List<String> twice = new ArrayList<>(lines);
    twice.addAll(lines);
    return twice;
  }

  /** What a reader of the files sees. */
  private List<String> committed(String sink) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(sink))) {
      List<String> lines = new ArrayList<>();
      for (Path file :
          files
              .filter(Files::isRegularFile)
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .collect(Collectors.toList())) {
        lines.addAll(Files.readAllLines(file));
      }
      return lines;
    }
  }

  private static void assertCounts(
      String sink, Collection<String> expected, Collection<String> written) {
    assertEquals(counted(expected), counted(written), sink);
  }

  private static TreeMap<String, Long> counted(Collection<String> lines) {
    return lines.stream()
        .collect(Collectors.groupingBy(line -> line, TreeMap::new, Collectors.counting()));
  }
}
