package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** What several files of vectors write alike. */
final class Written {

  private Written() {}

  static Rules rules(Fields fields) {
    return Rules.of(
        fields.optional("ordering", Json::text).isPresent()
            ? fields.name("ordering", Rules.Ordering.class)
            : Rules.Ordering.OVERLAP,
        fields.optional("lateRecords", Json::text).isPresent()
            ? fields.name("lateRecords", Rules.LateRecords.class)
            : Rules.LateRecords.BOTH);
  }

  static Orders orders(Fields fields) {
    return Orders.of(
        fields.count("epoch"), fields.count("attempt"), fields.required("told", Written::told));
  }

  static Told told(Fields fields) {
    switch (fields.name("role", Told.Role.class)) {
      case NOTHING:
        return Told.nothing();
      case OUTGOING:
        return Told.outgoing(phase(fields));
      case INCOMING:
        return Told.incoming(phase(fields));
      default:
        return Told.stranger();
    }
  }

  static Phase phase(Fields fields) {
    switch (fields.name("phase", Phase.Name.class)) {
      case STABLE:
        return Phase.stable();
      case STANDBY:
        return Phase.standby(fields.eventTime("highest"));
      case PREPARE:
        long highest = fields.eventTime("highest");
        return fields
            .optional("cut", Json::number)
            .map(cut -> Phase.prepare(highest, cut))
            .orElseGet(() -> Phase.prepare(highest));
      case COMMIT:
        return Phase.commit(fields.number("cut"));
      case SEALED:
        return Phase.sealed(fields.number("cut"));
      default:
        return Phase.abort();
    }
  }

  static AtBarrier atBarrier(Fields fields) {
    Optional<JsonNode> lowest = fields.value("lowestKept");
    return AtBarrier.of(
        fields.count("attempt"),
        fields.count("checkpoint"),
        fields.watermark("watermark"),
        lowest
            .map(it -> it.isNull() ? Times.NO_TIMESTAMP : Times.eventTime(Json.number(it)))
            .orElse(AtBarrier.NOTHING_KEPT));
  }

  static Answer answer(Fields fields) {
    return Answer.of(
        fields.count("epoch"), fields.eventTime("highest"), fields.watermark("watermark"));
  }

  static Job job(Fields fields) {
    return Job.of(fields.name("color", Color.class), fields.count("createdFor"));
  }

  static HandoverRecord handover(Fields fields) {
    return HandoverRecord.builder()
        .epoch(fields.count("epoch"))
        .phase(phase(fields))
        .active(fields.required("active", Written::job))
        .incoming(fields.optionalCount("incoming"))
        .fork(fields.object("fork", it -> Fork.of(it.count("checkpoint"), it.count("attempt"))))
        .savepoint(fields.optional("savepoint", Json::text))
        .deadline(fields.optional("deadline", it -> Instant.parse(it.asText())))
        .reason(fields.optional("reason", Written::reason))
        .blue(fields.optional("blue", Written::report))
        .green(fields.optional("green", Written::report))
        .firstDeployment(fields.truth("isFirstDeployment"))
        .deletionDelayMs(fields.count("deletionDelayMs"))
        .build();
  }

  /** Read by the codec, which passes over keys that it does not know. */
  static Report report(JsonNode json) {
    Report report = ReportJson.read(Json.of(json));
    assertUnderstood(json, ReportJson.object(report));
    return report;
  }

  static AbortReason reason(JsonNode json) {
    AbortReason reason = ReasonJson.read(Json.of(json));
    assertUnderstood(json, ReasonJson.object(reason));
    return reason;
  }

  static SubtaskReport subtaskReport(Fields fields) {
    return SubtaskReport.of(
        fields.count("epoch"),
        fields.eventTime("highest"),
        fields.eventTime("dropped"),
        fields.watermark("watermark"),
        fields.truth("idle"),
        fields.object("figures", Written::figures).orElse(Figures.NONE));
  }

  private static Figures figures(Fields fields) {
    return Figures.builder()
        .emitted(fields.count("emitted"))
        .dropped(fields.count("dropped"))
        .kept(fields.count("kept"))
        .keptBytes(fields.count("keptBytes"))
        .late(fields.count("late"))
        .untimed(fields.count("untimed"))
        .offClock(fields.count("offClock"))
        .build();
  }

  /** The names of gates, by their numbers. */
  static Map<Integer, String> names(JsonNode json) {
    Map<Integer, String> names = new TreeMap<>();
    json.fieldNames()
        .forEachRemaining(gate -> names.put(Integer.valueOf(gate), Json.text(json.get(gate))));
    return names;
  }

  static Finished finished(Fields fields) {
    return Finished.of(fields.eventTime("highest"), fields.eventTime("dropped"));
  }

  static Standing standing(Fields fields) {
    switch (fields.name("is", Standing.Kind.class)) {
      case STARTING:
        OptionalLong restored = fields.optionalCount("restored");
        OptionalLong held = fields.optionalCount("held");
        return Standing.starting(restored, held, fields.optionalCount("asked"));
      case HOLDS:
        return Standing.holds(fields.count("attempt"));
      default:
        return Standing.deposed();
    }
  }

  /** Whether all that is written stands in what was read of it. */
  private static void assertUnderstood(JsonNode written, JsonNode read) {
    if (written.isObject()) {
      for (Iterator<String> keys = written.fieldNames(); keys.hasNext(); ) {
        String key = keys.next();
        if (!written.get(key).isNull()) {
          assertTrue(read.has(key), () -> "nobody knows the key " + key + " of " + written);
          assertUnderstood(written.get(key), read.get(key));
        }
      }
    } else if (written.isArray()) {
      assertTrue(written.size() == read.size(), () -> written + " was read as " + read);
      for (int place = 0; place < written.size(); place++) {
        assertUnderstood(written.get(place), read.get(place));
      }
    } else {
      boolean isNoTimestamp = read.isNull() && written.asLong() == Long.MAX_VALUE;
      assertTrue(
          isNoTimestamp || written.asText().equals(read.asText()),
          () -> written + " was read as " + read);
    }
  }
}
