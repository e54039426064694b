package io.github.sluiceflink.gate.twojobs;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What can happen to a handover record in a directory. */
final class RecordFaults {

  private RecordFaults() {}

  /** Something that happens while the record is away. */
  interface Meanwhile {
    void happen() throws Exception;
  }

  /** For so many milliseconds the directory can be neither read nor written, by anybody. */
  static void away(Path directory, long milliseconds) throws Exception {
    away(directory, milliseconds, () -> {});
  }

  static void away(Path directory, long milliseconds, Meanwhile meanwhile) throws Exception {
    Path elsewhere = directory.resolveSibling("record-away");
    Files.move(directory, elsewhere);
    // What cannot be opened as a directory, as a file system that is gone.
    Files.writeString(directory, "");
    meanwhile.happen();
    Thread.sleep(milliseconds);
    Files.delete(directory);
    Files.move(elsewhere, directory);
  }

  /**
   * Somebody puts the record of the epoch before into the place, as a newer version; after so many
   * milliseconds the right one is put back.
   */
  static void oldContent(Scene scene, long milliseconds) throws Exception {
    Operator operator = scene.operator();
    HandoverRecord right =
        operator.replace(
            data -> {
              TreeMap<String, String> old = new TreeMap<>(data);
              data.clear();
              data.put("epoch", "1");
              data.put("phase", "STABLE");
              data.put("active", "BLUE");
              data.put("active-created-for", "1");
              // The reports stay, because an old one of them is another fault.
              Stream.of("report.blue", "report.green")
                  .forEach(
                      key -> Optional.ofNullable(old.get(key)).ifPresent(it -> data.put(key, it)));
            });
    scene.say("the record is that of the epoch before");
    Thread.sleep(milliseconds);
    operator.replace(right);
    scene.say("the record is right again");
  }

  /** The file of a version that was removed is there again. */
  static void oldVersion(Path directory) throws Exception {
    List<Path> versions;
    try (Stream<Path> files = Files.list(directory)) {
      versions =
          files
              .filter(it -> it.getFileName().toString().matches("\\d{20}\\.json"))
              .sorted(Comparator.naturalOrder())
              .collect(Collectors.toList());
    }
    long oldest = Long.parseLong(versions.get(0).getFileName().toString().substring(0, 20));
    for (long version = Math.max(1, oldest - 3); version < oldest; version++) {
      Files.copy(versions.get(0), directory.resolve("%020d.json".formatted(version)));
    }
  }
}
