package io.github.sluiceflink.gate.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.RecordCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The directory {@code contract/record-directory}, which the operator's tests in Rust read, too.
 */
class RecordDirectoryExampleTest {

  private static final String NOTE = "of somebody else, and left alone";

  @TempDir Path directory;

  @Test
  void isReadAndContinued() throws Exception {
    copyExample();
    RecordDirectory record = new RecordDirectory(directory);
    RecordDirectory.Version newest = record.newest().orElseThrow();
    assertEquals(11, newest.number);
    Map<String, String> expected = strings("00000000000000000011.json");
    assertEquals(NOTE, expected.remove("note"));
    assertEquals(expected, RecordCodec.encode(newest.handover));

    assertEquals(12, record.write(11, newest.handover.with(Color.BLUE, Samples.report(5))));
    Map<String, String> written = strings("00000000000000000012.json");
    assertEquals(NOTE, written.get("note"));
    assertTrue(written.get("report.blue").contains("\"attempt\":5"), written::toString);
    for (String nobodys :
        new String[] {"12.json", "99999999999999999999.json", "00000000000000000010.json"}) {
      assertTrue(Files.isRegularFile(directory.resolve(nobodys)), nobodys);
    }
  }

  private Map<String, String> strings(String file) throws IOException {
    return RecordJson.read(Files.readAllBytes(directory.resolve(file)));
  }

  private void copyExample() throws IOException {
    Path above = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    while (!Files.isDirectory(above.resolve("contract/record-directory"))) {
      above = above.getParent();
    }
    try (Stream<Path> files = Files.list(above.resolve("contract/record-directory"))) {
      for (Path file : files.toArray(Path[]::new)) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
  }
}
