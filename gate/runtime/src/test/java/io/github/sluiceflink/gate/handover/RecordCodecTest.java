package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecordCodecTest {

  private static Map<String, String> sample() {
    return new HashMap<>(
        Map.of(
            "epoch", "3",
            "phase", "COMMIT",
            "cut", "1763756400000",
            "active", "BLUE",
            "active-created-for", "2",
            "incoming-created-for", "3"));
  }

  private static UnreadableRecordException refused(Map<String, String> data) {
    return assertThrows(UnreadableRecordException.class, () -> RecordCodec.decode(data));
  }

  @Test
  void what_is_written_is_read_again() throws UnreadableRecordException {
    Random random = new Random(17);
    for (int left = 2_000; left > 0; left--) {
      HandoverRecord handover = Records.any(random);
      Map<String, String> data = RecordCodec.encode(handover);
      assertEquals(handover, RecordCodec.decode(data));
      assertTrue(RecordCodec.KEYS.containsAll(data.keySet()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"outgoing-coordinator.json", "incoming-coordinator.json"})
  void every_record_of_the_vectors_is_written_and_read_again(String file)
      throws UnreadableRecordException {
    int records = 0;
    JsonNode content = Vectors.read(Vectors.contract().resolve("vectors").resolve(file));
    for (JsonNode written : content.findValues("record")) {
      HandoverRecord handover = Fields.whole(written, Written::handover);
      assertEquals(handover, RecordCodec.decode(RecordCodec.encode(handover)));
      records++;
    }
    assertTrue(records > 80, "found " + records);
  }

  @Test
  void any_data_is_read_or_refused_by_name() {
    Random random = new Random(18);
    String[] values = {
      "",
      " ",
      "-1",
      "+1",
      "-0",
      "3.0",
      "1e3",
      "٣",
      "9223372036854775808",
      "-9223372036854775809",
      "null",
      "{}",
      "[]",
      "\"\"",
      "{",
      "{} {}",
      "{\"kind\":\"X\"}",
      "{\"kind\":null}",
      "blue",
      "stable",
      "TRUE",
      "2026-01-31",
      "2026-01-31T12:00:00",
      "tomorrow",
      "\0",
      "[".repeat(99_999)
    };
    int refusals = 0;
    for (int left = 4_000; left > 0; left--) {
      Map<String, String> data = new HashMap<>(RecordCodec.encode(Records.any(random)));
      data.putIfAbsent("fork-attempt", "4");
      String key = RecordCodec.KEYS.get(random.nextInt(RecordCodec.KEYS.size()));
      String value = values[random.nextInt(values.length)];
      boolean remove = random.nextInt(5) == 0;
      if (remove) {
        data.remove(key);
      } else {
        data.put(key, value);
      }
      try {
        RecordCodec.decode(data);
      } catch (UnreadableRecordException e) {
        refusals++;
        assertEquals(key, e.key());
        assertTrue(e.getMessage().contains('"' + key + '"'), e.getMessage());
        assertTrue(remove || e.getMessage().contains(value), e.getMessage());
      }
    }
    assertTrue(refusals > 1_000, "only " + refusals);
  }

  /** Reports are what a half-finished write or a person damages most easily. */
  @Test
  void any_damage_to_the_json_of_a_report_is_refused_or_read() {
    String json = ReportJson.write(Records.fullReport());
    Random random = new Random(19);
    int refusals = 0;
    for (int left = 4_000; left > 0; left--) {
      StringBuilder damaged = new StringBuilder(json);
      int place = random.nextInt(json.length());
      if (random.nextBoolean()) {
        damaged.setLength(place);
      } else {
        damaged.setCharAt(place, "{}[]\",:-.0e\\x".charAt(random.nextInt(13)));
      }
      Map<String, String> data = sample();
      data.put("report.green", damaged.toString());
      try {
        RecordCodec.decode(data);
      } catch (UnreadableRecordException e) {
        refusals++;
        assertEquals("report.green", e.key());
      }
    }
    assertTrue(refusals > 2_000, "only " + refusals);
  }

  @Test
  void a_record_that_a_person_damaged_is_refused_in_a_sentence() {
    Map<String, String> data = sample();
    data.put("cut", "tomorrow");
    assertEquals(
        "the handover record has \"cut\": \"tomorrow\", which is not milliseconds since 1970",
        refused(data).getMessage());
  }

  @Test
  void commit_without_a_cut_is_no_record() {
    Map<String, String> data = sample();
    data.remove("cut");
    assertEquals(
        "the handover record lacks the key \"cut\", which has to hold milliseconds since 1970",
        refused(data).getMessage());
  }

  @Test
  void a_fork_without_its_attempt_is_no_fork() {
    Map<String, String> data = sample();
    data.put("fork-checkpoint", "11");
    assertEquals("fork-attempt", refused(data).key());
  }

  @Test
  void keys_of_others_are_left_alone_and_so_are_unknown_ones_in_json()
      throws UnreadableRecordException {
    Map<String, String> data = sample();
    data.put("somebody-elses", "?");
    data.put("fork-attempt", "not read without a fork");
    data.put(
        "report.blue",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"since\":{\"a\":[]},\"completed\":null}");
    HandoverRecord handover = RecordCodec.decode(data);
    assertEquals(1, handover.attempt(Color.BLUE));
    assertFalse(handover.fork().isPresent());
  }

  /** A job of an earlier Sluice reports no gates by themselves, and nothing of clocks. */
  @Test
  void what_an_earlier_sluice_wrote_is_read() throws UnreadableRecordException {
    Map<String, String> data = sample();
    data.put(
        "report.green",
        "{\"createdFor\":3,\"attempt\":1,\"incarnation\":7,\"gates\":{\"allReporting\":true,"
            + "\"watermark\":40,\"highestDropped\":45,\"figures\":{\"emitted\":1,\"untimed\":6}}}");
    HandoverRecord handover = RecordCodec.decode(data);
    Figures figures = Figures.builder().emitted(1).untimed(6).build();
    assertEquals(
        GatesReport.of(true, OptionalLong.empty(), 40, 45, figures, List.of()),
        handover.green().orElseThrow().gates());
    assertFalse(handover.savepoint().isPresent());
  }

  /** What the operator's reader refuses, so that both sides believe the same reports. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"createdFor\":2,\"attempt\":1}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":-7}",
        "{\"createdFor\":2,\"attempt\":1.0,\"incarnation\":7}",
        "{\"createdFor\":2,\"attempt\":\"1\",\"incarnation\":7}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":18446744073709551616}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":null}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"restores\":null}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"restores\":[{}]}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":{\"watermark\":null}}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":{\"allReporting\":0}}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":{\"each\":null}}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":{\"each\":[{}]}}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7,\"gates\":{\"each\":[{\"gate\":65536}]}}",
        "{\"createdFor\":2,\"attempt\":1,\"attempt\":3,\"incarnation\":7}",
        "{\"createdFor\":2,\"attempt\":1,\"incarnation\":7} and so on"
      })
  void a_report_that_lacks_something_or_says_it_otherwise_is_refused(String json) {
    Map<String, String> data = sample();
    data.put("report.green", json);
    assertEquals(
        "the handover record has \"report.green\": \""
            + json
            + "\", which is not the JSON of a coordinator's report",
        refused(data).getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "2026-01-31T12:00:00Z, 2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.5Z, 2026-01-31T12:00:00.5Z",
    "2026-01-31T14:00:00+02:00, 2026-01-31T12:00:00Z"
  })
  void a_deadline_is_written_as_the_operator_writes_it(String read, String written)
      throws UnreadableRecordException {
    Map<String, String> data = sample();
    data.put("deadline", read);
    assertEquals(written, RecordCodec.encode(RecordCodec.decode(data)).get("deadline"));
  }

  @ParameterizedTest
  @CsvSource({
    "STABLE, RUNNING",
    "STANDBY, INITIALIZING",
    "PREPARE, TRANSITIONING",
    "COMMIT, TRANSITIONING",
    "SEALED, CLEAR_TO_TEARDOWN",
    "ABORT, FAILING"
  })
  void people_who_watch_flip_504s_keys_see_where_it_stands(String phase, String stage)
      throws UnreadableRecordException {
    Map<String, String> data = sample();
    data.put("phase", phase);
    Map<String, String> written = RecordCodec.encode(RecordCodec.decode(data));
    assertEquals(stage, written.get("stage"));
    assertEquals("BLUE", written.get("active-deployment-type"));
    assertEquals("false", written.get("is-first-deployment"));
    assertEquals("0", written.get("deployment-deletion-delay-ms"));
  }

  @Test
  void numbers_that_the_phase_has_no_use_for_are_not_written() {
    HandoverRecord.Builder handover =
        HandoverRecord.builder().epoch(3).active(Job.of(Color.BLUE, 2));
    assertFalse(
        RecordCodec.encode(handover.phase(Phase.commit(46)).build()).containsKey("highest"));
    assertFalse(RecordCodec.encode(handover.phase(Phase.standby(45)).build()).containsKey("cut"));
  }

  @Test
  void the_highest_number_is_no_timestamp() throws UnreadableRecordException {
    Map<String, String> data = sample();
    data.put("phase", "STANDBY");
    data.put("highest", "9223372036854775807");
    assertEquals(Phase.standby(Times.NO_TIMESTAMP), RecordCodec.decode(data).phase());
  }
}
