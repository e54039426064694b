package io.github.sluiceflink.gate.handover;

import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** The JSON of a coordinator's report. */
final class ReportJson {

  private ReportJson() {}

  static String write(Report report) {
    return Json.write(object(report));
  }

  static ObjectNode object(Report report) {
    ObjectNode json =
        Json.newObject()
            .put("createdFor", report.createdFor())
            .put("attempt", report.attempt())
            .put("incarnation", report.incarnation());
    if (!report.restores().isEmpty()) {
      ArrayNode restores = json.putArray("restores");
      for (Restore restore : report.restores()) {
        ObjectNode one = restores.addObject().put("attempt", restore.attempt());
        restore.checkpoint().ifPresent(it -> one.put("checkpoint", it));
      }
    }
    report.completed().ifPresent(it -> json.put("completed", it));
    report
        .passed()
        .ifPresent(
            it ->
                json.putObject("passed")
                    .put("epoch", it.epoch())
                    .put("checkpoint", it.checkpoint()));
    put(json.putObject("gates"), report.gates());
    return json;
  }

  private static void put(ObjectNode json, GatesReport gates) {
    json.put("allReporting", gates.allReporting());
    gates.heard().ifPresent(it -> json.put("heard", it));
    json.put("watermark", gates.watermark());
    putEventTime(json, "highestDropped", gates.highestDropped());
    put(json.putObject("figures"), gates.figures());
    if (!gates.each().isEmpty()) {
      ArrayNode each = json.putArray("each");
      for (GateReport gate : gates.each()) {
        put(each.addObject(), gate);
      }
    }
  }

  private static void put(ObjectNode json, GateReport gate) {
    json.put("gate", gate.gate());
    if (!gate.name().isEmpty()) {
      json.put("name", gate.name());
    }
    json.put("watermark", gate.watermark());
    if (gate.idle()) {
      json.put("idle", true);
    }
    put(json.putObject("figures"), gate.figures());
  }

  private static void put(ObjectNode json, Figures figures) {
    json.put("emitted", figures.emitted())
        .put("dropped", figures.dropped())
        .put("kept", figures.kept())
        .put("keptBytes", figures.keptBytes())
        .put("late", figures.late())
        .put("untimed", figures.untimed())
        .put("offClock", figures.offClock());
  }

  static void putEventTime(ObjectNode json, String key, long eventTime) {
    if (eventTime == Times.NO_TIMESTAMP) {
      json.putNull(key);
    } else {
      json.put(key, eventTime);
    }
  }

  static Report read(String text) {
    return read(Json.parse(text));
  }

  static Report read(Json json) {
    return Report.builder()
        .createdFor(json.required("createdFor", Json::count))
        .attempt(json.required("attempt", Json::count))
        .incarnation(json.required("incarnation", Json::count))
        .restores(json.orElse("restores", List.of(), it -> Json.list(it, ReportJson::restore)))
        .completed(json.optionalCount("completed"))
        .passed(json.optional("passed", ReportJson::passed))
        .gates(json.orElse("gates", GatesReport.NONE, ReportJson::gates))
        .build();
  }

  private static Restore restore(JsonNode node) {
    Json json = Json.of(node);
    return Restore.of(json.required("attempt", Json::count), json.optionalCount("checkpoint"));
  }

  static Passed passed(JsonNode node) {
    Json json = Json.of(node);
    return Passed.of(json.required("epoch", Json::count), json.required("checkpoint", Json::count));
  }

  private static GatesReport gates(JsonNode node) {
    Json json = Json.of(node);
    return GatesReport.of(
        json.orElse("allReporting", false, Json::truth),
        json.optionalCount("heard"),
        json.orElse("watermark", Times.NO_WATERMARK, Json::number),
        json.eventTime("highestDropped"),
        json.orElse("figures", Figures.NONE, ReportJson::figures),
        json.orElse("each", List.of(), it -> Json.list(it, ReportJson::gate)));
  }

  private static GateReport gate(JsonNode node) {
    Json json = Json.of(node);
    return GateReport.of(
        json.required("gate", ReportJson::gateNumber),
        json.orElse("name", "", Json::text),
        json.orElse("watermark", Times.NO_WATERMARK, Json::number),
        json.orElse("idle", false, Json::truth),
        json.orElse("figures", Figures.NONE, ReportJson::figures));
  }

  private static int gateNumber(JsonNode node) {
    long number = Json.count(node);
    if (number > Subtask.LARGEST) {
      throw new IllegalArgumentException("too large");
    }
    return (int) number;
  }

  static Figures figures(JsonNode node) {
    Json json = Json.of(node);
    return Figures.builder()
        .emitted(json.orElse("emitted", 0L, Json::count))
        .dropped(json.orElse("dropped", 0L, Json::count))
        .kept(json.orElse("kept", 0L, Json::count))
        .keptBytes(json.orElse("keptBytes", 0L, Json::count))
        .late(json.orElse("late", 0L, Json::count))
        .untimed(json.orElse("untimed", 0L, Json::count))
        .offClock(json.orElse("offClock", 0L, Json::count))
        .build();
  }
}
