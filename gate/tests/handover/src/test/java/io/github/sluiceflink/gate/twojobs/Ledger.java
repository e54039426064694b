package io.github.sluiceflink.gate.twojobs;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What both jobs have committed, counted. It reads the committed files, as any reader of them does,
 * and knows from the input alone what has to be there.
 */
final class Ledger {

  private static final int SHOWN = 20;

  private final Input input;
  private final long records;
  private final OptionalLong cut;
  private final String outgoing;
  private final int[][] times;
  private final boolean[][] byOutgoing;
  private final boolean[][] byIncoming;
  private final Map<String, Integer> windows = new HashMap<>();
  private final Map<String, Long> expectedWindows = new HashMap<>();
  private final List<Long> written = new ArrayList<>();
  private final Map<String, Long> firstWritten = new TreeMap<>();
  private final List<String> wrong = new ArrayList<>();
  private long lost;
  private long doubled;
  private long late;
  private long lateLost;
  private long lateDoubled;
  private long misplaced;
  private final long[] byColor = new long[2];

  /**
   * Reads the output of a handover.
   *
   * @param cut W; none if there was no handover, or one without a cut in event time
   */
  Ledger(Path output, Input input, long records, String outgoing, OptionalLong cut)
      throws IOException {
    this.input = input;
    this.records = records;
    this.cut = cut;
    this.outgoing = outgoing;
    times = new int[input.splits()][(int) records];
    byOutgoing = new boolean[input.splits()][(int) records];
    byIncoming = new boolean[input.splits()][(int) records];
    read(output.resolve("records"));
    read(output.resolve("windows"));
    countRecords();
    countWindows();
  }

  private void read(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> committed;
    try (Stream<Path> files = Files.walk(directory)) {
      committed =
          files
              .filter(Files::isRegularFile)
              .filter(file -> !file.getFileName().toString().startsWith("."))
              .collect(Collectors.toList());
    }
    for (Path file : committed) {
      try (BufferedReader lines = Files.newBufferedReader(file)) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          read(line, file);
        }
      }
    }
  }

  private void read(String line, Path file) {
    try {
      String[] fields = line.split(",");
      switch (fields[0]) {
        case "record" -> readRecord(fields);
        case "window" -> readWindow(fields);
        default -> throw new IllegalArgumentException("unknown");
      }
    } catch (RuntimeException e) {
      wrong.add("garbage in " + file + ": " + line + " (" + e + ")");
    }
  }

  private void readRecord(String[] fields) {
    int split = Integer.parseInt(fields[1]);
    int position = Integer.parseInt(fields[2]);
    long timestamp = Long.parseLong(fields[3]);
    long count = Long.parseLong(fields[4]);
    String color = fields[5];
    time(color, Long.parseLong(fields[6]));
    times[split][position]++;
    (color.equals(outgoing) ? byOutgoing : byIncoming)[split][position] = true;
    byColor[color.equals(outgoing) ? 0 : 1]++;
    if (timestamp != input.timestamp(split, position)) {
      wrong.add("another timestamp: " + String.join(",", fields));
    }
    if (count != input.countOfKey(position)) {
      wrong.add("state went astray: " + String.join(",", fields));
    }
    if (!input.isLate(split, position)) {
      checkColor(timestamp, color, fields);
    }
  }

  private void readWindow(String[] fields) {
    time(fields[5], Long.parseLong(fields[6]));
    windows.merge(fields[1] + "," + fields[2] + "," + fields[4], 1, Integer::sum);
    checkColor(Long.parseLong(fields[3]), fields[5], fields);
  }

  private void checkColor(long timestamp, String color, String[] fields) {
    if (cut.isPresent() && (timestamp < cut.getAsLong()) != color.equals(outgoing)) {
      misplaced++;
      wrong.add("on the wrong side of " + cut.getAsLong() + ": " + String.join(",", fields));
    }
  }

  private void time(String color, long milliseconds) {
    written.add(milliseconds);
    firstWritten.merge(color, milliseconds, Math::min);
  }

  private void countRecords() {
    for (int split = 0; split < input.splits(); split++) {
      for (int position = 0; position < input.end(split, records); position++) {
        int found = times[split][position];
        boolean isLate = input.isLate(split, position);
        if (isLate) {
          late++;
        } else {
          long start = Math.floorDiv(input.timestamp(split, position), Input.WINDOW) * Input.WINDOW;
          expectedWindows.merge(input.key(split, position) + "," + start, 1L, Long::sum);
        }
        if (found == 0) {
          lateLost += isLate ? 1 : 0;
          lost += isLate ? 0 : 1;
        } else if (found > 1) {
          lateDoubled += isLate ? 1 : 0;
          doubled += isLate ? 0 : 1;
        }
        if (found != 1 && !isLate) {
          wrong.add(
              (found == 0 ? "lost" : "doubled")
                  + ": split "
                  + split
                  + ", position "
                  + position
                  + ", timestamp "
                  + input.timestamp(split, position)
                  + (byOutgoing[split][position] ? ", by the outgoing job" : "")
                  + (byIncoming[split][position] ? ", by the incoming job" : ""));
        }
      }
    }
  }

  private void countWindows() {
    expectedWindows.forEach(
        (window, size) -> {
          Integer found = windows.remove(window + "," + size);
          if (found == null) {
            lost++;
            wrong.add("window lost: " + window + "," + size);
          } else if (found > 1) {
            doubled++;
            wrong.add("window doubled: " + window + "," + size);
          }
        });
    windows.keySet().forEach(window -> wrong.add("window of another size: " + window));
  }

  /** How many records and window results one job has committed. */
  long recordsOf(String color) {
    return byColor[color.equals(outgoing) ? 0 : 1];
  }

  /** When the first line of a job reached a sink, in milliseconds since 1970. */
  OptionalLong firstWritten(String color) {
    Long first = firstWritten.get(color);
    return first == null ? OptionalLong.empty() : OptionalLong.of(first);
  }

  /** The longest time around this one in which no line reached any sink, in milliseconds. */
  long pauseAround(long from, long to) {
    long[] all = written.stream().mapToLong(Long::longValue).sorted().toArray();
    long longest = 0;
    for (int next = 1; next < all.length; next++) {
      if (all[next] >= from && all[next - 1] <= to) {
        longest = Math.max(longest, all[next] - all[next - 1]);
      }
    }
    return longest;
  }

  long lateLost() {
    return lateLost;
  }

  long lateDoubled() {
    return lateDoubled;
  }

  /** What is lost, doubled, on the wrong side of the cut, or no line of a job. */
  long mistakes() {
    return lost + doubled + misplaced + wrong.size();
  }

  /** Fails if anything is wrong with what is not late. */
  void check() {
    if (mistakes() > 0) {
      throw new AssertionError(
          this + "\n" + wrong.stream().limit(SHOWN).collect(Collectors.joining("\n")));
    }
  }

  @Override
  public String toString() {
    long all = Arrays.stream(times).flatMapToInt(Arrays::stream).sum();
    return "records=%d lost=%d doubled=%d late=%d (lost %d, doubled %d) windows=%d outgoing=%d incoming=%d"
        .formatted(
            all,
            lost,
            doubled,
            late,
            lateLost,
            lateDoubled,
            expectedWindows.size(),
            byColor[0],
            byColor[1]);
  }
}
