package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.json.PackageVersion;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

/** What stands in {@code contract/} besides the rows of the vectors. */
class ContractTest {

  private static final JsonNode SCHEMA =
      Vectors.read(Vectors.contract().resolve("record.schema.json"));

  @Test
  void every_file_of_vectors_is_played() throws IOException {
    try (Stream<Path> files = Files.list(Vectors.contract().resolve("vectors"))) {
      assertEquals(
          Set.of(
              "gate.json",
              "incoming-coordinator.json",
              "judge.json",
              "outgoing-coordinator.json",
              "rescale.json"),
          files.map(it -> it.getFileName().toString()).collect(Collectors.toSet()));
    }
  }

  @Test
  void a_misspelt_key_in_a_row_is_noticed() {
    Fields row = Fields.of(Json.newObject().put("name", "a row").put("timestmap", 5));
    row.text("name");
    assertThrows(AssertionError.class, row::nothingElse);
    JsonNode report =
        Json.newObject().put("createdFor", 0).put("attempt", 1).put("incarnation", 7).put("x", 1);
    assertThrows(AssertionError.class, () -> Written.report(report));
  }

  /** The schema is written by hand. Where this fails, change it and the codec together. */
  @Test
  void the_schema_names_what_the_codec_writes() {
    assertEquals(new TreeSet<>(RecordCodec.KEYS), names(SCHEMA.path("properties")));
    assertEquals(
        Arrays.stream(Phase.Name.values()).map(Enum::name).collect(Collectors.toList()),
        words(SCHEMA.path("properties").path("phase")));
    assertEquals(
        Arrays.stream(RecordCodec.Stage.values()).map(Enum::name).collect(Collectors.toList()),
        words(SCHEMA.path("properties").path("stage")));
    for (String color : List.of("active", "active-deployment-type")) {
      assertEquals(
          Arrays.stream(Color.values()).map(Enum::name).collect(Collectors.toList()),
          words(SCHEMA.path("properties").path(color)));
    }
  }

  @Test
  void what_the_schema_requires_the_codec_requires() {
    List<String> required = new ArrayList<>();
    SCHEMA.path("required").forEach(it -> required.add(it.asText()));
    assertFalse(required.isEmpty());
    for (String key : RecordCodec.KEYS) {
      Map<String, String> data = new HashMap<>(Records.full());
      data.remove(key);
      if (key.equals("fork-attempt")) {
        data.remove("fork-checkpoint");
      }
      if (required.contains(key)) {
        assertEquals(
            key,
            assertThrows(UnreadableRecordException.class, () -> RecordCodec.decode(data)).key());
      } else {
        assertDoesNotThrow(() -> RecordCodec.decode(data), key);
      }
    }
  }

  /** The JSON within, too: every key that the schema names is written, and no other. */
  @Test
  void the_schema_names_what_reports_and_reasons_are_written_with() {
    JsonNode report = SCHEMA.path("$defs").path("report").path("properties");
    JsonNode written = ReportJson.object(Records.fullReport());
    assertEquals(names(report), names(written));
    assertEquals(
        names(report.path("restores").path("items").path("properties")),
        names(written.path("restores").path(0)));
    assertEquals(names(report.path("passed").path("properties")), names(written.path("passed")));
    JsonNode gates = report.path("gates").path("properties");
    assertEquals(names(gates), names(written.path("gates")));
    JsonNode figures = SCHEMA.path("$defs").path("figures").path("properties");
    assertEquals(names(figures), names(written.path("gates").path("figures")));
    JsonNode each = written.path("gates").path("each").path(0);
    assertEquals(names(gates.path("each").path("items").path("properties")), names(each));
    assertEquals(names(figures), names(each.path("figures")));

    JsonNode reason = SCHEMA.path("$defs").path("reason").path("properties");
    Set<String> keys = new TreeSet<>();
    Set<String> kinds = new TreeSet<>();
    for (AbortReason one : Records.reasons()) {
      JsonNode json = ReasonJson.object(one);
      keys.addAll(names(json));
      kinds.add(json.path("kind").asText());
    }
    assertEquals(names(reason), keys);
    assertEquals(new TreeSet<>(words(reason.path("kind"))), kinds);
  }

  @Test
  void the_json_library_is_that_of_the_flink_that_is_meant() {
    assertEquals(System.getProperty("expected.jackson"), PackageVersion.VERSION.toString());
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    for (Iterator<String> name = object.fieldNames(); name.hasNext(); ) {
      names.add(name.next());
    }
    assertFalse(names.isEmpty(), () -> "no object with keys: " + object);
    return names;
  }

  private static List<String> words(JsonNode property) {
    List<String> words = new ArrayList<>();
    property.path("enum").forEach(it -> words.add(it.asText()));
    return words;
  }
}
