package io.github.sluiceflink.gate.handover;

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** The JSON of a reason. */
final class ReasonJson {

  private ReasonJson() {}

  static String write(AbortReason reason) {
    return Json.write(object(reason));
  }

  static ObjectNode object(AbortReason reason) {
    ObjectNode json = Json.newObject().put("kind", reason.kind().name());
    switch (reason.kind()) {
      case CUT_TOO_FAR:
        AbortReason.CutTooFar refused = reason.getCutTooFar();
        refused.subtask().ifPresent(it -> json.put("subtask", it.toString()));
        ReportJson.putEventTime(json, "highest", refused.highest());
        json.put("watermark", refused.watermark());
        break;
      case BEHIND_FORK:
        reason.getBehindFork().ifPresent(it -> json.put("attempt", it));
        break;
      case OPERATOR:
        json.put("why", reason.getOperator());
        break;
      default:
        break;
    }
    return json;
  }

  static AbortReason read(String text) {
    return read(Json.parse(text));
  }

  static AbortReason read(Json json) {
    AbortReason.Kind kind = AbortReason.Kind.valueOf(json.required("kind", Json::text));
    switch (kind) {
      case HOLD_TIMEOUT:
        return AbortReason.holdTimeout();
      case CUT_TOO_FAR:
        return AbortReason.cutTooFar(
            json.optional("subtask", ReasonJson::subtask),
            json.eventTime("highest"),
            json.required("watermark", Json::number));
      case NO_WATERMARK:
        return AbortReason.noWatermark();
      case IDLE:
        return AbortReason.idle();
      case BEHIND_FORK:
        return AbortReason.behindFork(json.optionalCount("attempt"));
      case OUTGOING_LOST:
        return AbortReason.outgoingLost();
      case OPERATOR:
        return AbortReason.operator(json.required("why", Json::text));
      default:
        throw new AssertionError(kind);
    }
  }

  static Subtask subtask(JsonNode node) {
    return Subtask.parse(Json.text(node))
        .orElseThrow(() -> new IllegalArgumentException("no subtask"));
  }
}
