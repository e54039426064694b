package io.github.sluiceflink.gate.twojobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checker finds what it is there for. */
class LedgerTest {

  private static final int RECORDS = 900;

  @TempDir private Path directory;

  @Test
  void anOutputWithEverythingInItIsGood() throws Exception {
    Ledger ledger = ledger(lines -> {});

    ledger.check();
    assertEquals(0, ledger.mistakes());
    assertTrue(ledger.recordsOf("BLUE") > 0 && ledger.recordsOf("GREEN") > 0);
  }

  @Test
  void aMissingRecordIsFound() throws Exception {
    finds("lost=1 ", lines -> lines.remove(17));
  }

  @Test
  void aRecordOfBothJobsIsFound() throws Exception {
    finds(
        "by the outgoing job, by the incoming job",
        lines -> lines.add(lines.get(17).replace("BLUE", "GREEN")));
  }

  @Test
  void aRecordOnTheWrongSideOfTheCutIsFound() throws Exception {
    finds("on the wrong side", lines -> lines.set(17, lines.get(17).replace("BLUE", "GREEN")));
  }

  @Test
  void aCountThatStartedAnewIsFound() throws Exception {
    finds(
        "state went astray",
        lines -> {
          String[] fields = lines.get(17).split(",");
          fields[4] = "1";
          lines.set(17, String.join(",", fields));
        });
  }

  @Test
  void aMissingOrSplitWindowIsFound() throws Exception {
    finds("window lost", lines -> lines.removeIf(line -> line.startsWith("window,0,")));
    finds(
        "window of another size",
        lines ->
            lines.replaceAll(line -> line.replaceFirst("^(window,0,.*),\\d+,(B|G)", "$1,1,$2")));
  }

  @Test
  void halfALineIsFound() throws Exception {
    finds("garbage", lines -> lines.set(17, lines.get(17).substring(0, 9)));
  }

  private void finds(String what, Consumer<List<String>> change) throws Exception {
    Ledger ledger = ledger(change);
    String said = assertThrows(AssertionError.class, ledger::check).getMessage();
    assertTrue(said.contains(what), said);
  }

  /** What an output is counted as that was right before this change. */
  private Ledger ledger(Consumer<List<String>> change) throws IOException {
    Input input = Input.of(directory);
    long cut = input.timestamp(0, RECORDS / 2);
    List<String> lines = new ArrayList<>();
    Map<String, Integer> windows = new TreeMap<>();
    for (int split = 0; split < input.splits(); split++) {
      for (long position = 0; position < RECORDS; position++) {
        long timestamp = input.timestamp(split, position);
        lines.add(
            "record,%d,%d,%d,%d,%s,%d"
                .formatted(
                    split,
                    position,
                    timestamp,
                    input.countOfKey(position),
                    timestamp < cut ? "BLUE" : "GREEN",
                    timestamp));
        long window = Math.floorDiv(timestamp, Input.WINDOW) * Input.WINDOW;
        windows.merge(input.key(split, position) + "," + window, 1, Integer::sum);
      }
    }
    windows.forEach(
        (window, size) -> {
          long last = Long.parseLong(window.split(",")[1]) + Input.WINDOW - 1;
          lines.add(
              "window,%s,%d,%d,%s,%d"
                  .formatted(window, last, size, last < cut ? "BLUE" : "GREEN", last));
        });
    change.accept(lines);
    Path output = directory.resolve("output");
    Files.createDirectories(output.resolve("records"));
    Files.write(output.resolve("records").resolve("part-1"), lines);
    return new Ledger(output, input, RECORDS, "BLUE", OptionalLong.of(cut));
  }
}
