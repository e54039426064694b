package io.github.sluiceflink.gate.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What was measured, one JSON object on each line of a file. */
final class Figures {

  private final Path file;

  Figures(Path file) {
    this.file = file;
  }

  /** Numbers and words in turn with their names; no word needs escaping. */
  void write(String kind, Object... namesAndValues) {
    StringBuilder line = new StringBuilder("{\"kind\":\"").append(kind).append('"');
    for (int i = 0; i < namesAndValues.length; i += 2) {
      line.append(",\"").append(namesAndValues[i]).append("\":");
      Object value = namesAndValues[i + 1];
      if (value instanceof Number) {
        line.append(value);
      } else {
        line.append('"').append(value).append('"');
      }
    }
    line.append("}\n");
    System.err.print(line);
    try {
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
