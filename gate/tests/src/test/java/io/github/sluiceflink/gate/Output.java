package io.github.sluiceflink.gate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** What lies in the directory of a sink: the committed files, as a reader of them sees them. */
final class Output {

  private static final Pattern LINE =
      Pattern.compile("(?:\\{\"line\":\")?([A-Z])-(\\d+)-(\\d+)(?:\"})?");

  private final Map<String, TreeMap<Long, Integer>> written = new TreeMap<>();
  private final Map<String, TreeMap<Long, Long>> counts = new TreeMap<>();
  private final List<String> garbage = new ArrayList<>();
  private final List<Path> open = new ArrayList<>();

  Output(Path directory) throws IOException {
    for (Path file : files(directory)) {
      String name = file.getFileName().toString();
      if (name.startsWith(".")) {
        open.add(file);
      } else if (!name.equals("_SUCCESS")) {
        Files.readAllLines(file).forEach(this::read);
      }
    }
  }

  Output(Iterable<String> lines) {
    lines.forEach(this::read);
  }

  private void read(String line) {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      garbage.add(line);
      return;
    }
    long number = Long.parseLong(matcher.group(2));
    written
        .computeIfAbsent(matcher.group(1), job -> new TreeMap<>())
        .merge(number, 1, Integer::sum);
    counts
        .computeIfAbsent(matcher.group(1), job -> new TreeMap<>())
        .merge(number % CountingJob.KEYS, Long.parseLong(matcher.group(3)), Long::max);
  }

  /** The numbers from the first on that a job has not committed. */
  List<Long> missing(String job, long first, long end) {
    TreeMap<Long, Integer> of = written.getOrDefault(job, new TreeMap<>());
    return LongStream.range(first, end)
        .filter(number -> !of.containsKey(number))
        .boxed()
        .collect(Collectors.toList());
  }

  /** The numbers that a job has committed more than once. */
  List<Long> doubled(String job) {
    return written.getOrDefault(job, new TreeMap<>()).entrySet().stream()
        .filter(number -> number.getValue() > 1)
        .map(Map.Entry::getKey)
        .collect(Collectors.toList());
  }

  /** The first number that a job has committed. */
  long first(String job) {
    return written.getOrDefault(job, new TreeMap<>(Map.of(Long.MAX_VALUE, 0))).firstKey();
  }

  /** The largest count of a key. */
  long count(String job, long key) {
    return counts.getOrDefault(job, new TreeMap<>()).getOrDefault(key, 0L);
  }

  /** Lines that no job writes. */
  List<String> garbage() {
    return garbage;
  }

  /** Files that nobody has committed. */
  List<Path> open() {
    return open;
  }

  private static List<Path> files(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).collect(Collectors.toList());
    }
  }
}
