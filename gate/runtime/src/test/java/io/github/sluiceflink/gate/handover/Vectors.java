package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.provider.Arguments;

/** The files in {@code contract/}, which the operator's tests in Rust read, too. */
final class Vectors {

  /** A key that stands twice would hide one of its values. */
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  private Vectors() {}

  /** The directory {@code contract}, of the repository that this module is part of. */
  static Path contract() {
    Path module = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    for (Path directory = module; directory != null; directory = directory.getParent()) {
      Path contract = directory.resolve("contract");
      if (Files.isRegularFile(contract.resolve("record.schema.json"))) {
        return contract;
      }
    }
    throw new AssertionError("no directory above " + module + " has contract/record.schema.json");
  }

  static JsonNode read(Path file) {
    try {
      return MAPPER.readTree(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The rows of a file, each under its name. */
  static Stream<Arguments> rows(String file) {
    Fields content = Fields.of(read(contract().resolve("vectors").resolve(file)));
    content.text("about");
    JsonNode rows = content.value("rows").orElseThrow();
    content.nothingElse();
    assertTrue(rows.isArray() && !rows.isEmpty(), () -> file + " has no rows");
    Set<String> names = new HashSet<>();
    for (JsonNode row : rows) {
      String name = row.path("name").asText();
      assertTrue(names.add(name), () -> file + " has two rows named \"" + name + "\"");
    }
    assertEquals(rows.size(), names.size());
    return StreamSupport.stream(rows.spliterator(), false)
        .map(row -> arguments(Named.of(row.get("name").asText(), row)));
  }
}
