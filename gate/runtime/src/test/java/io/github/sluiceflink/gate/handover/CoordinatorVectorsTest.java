package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CoordinatorVectorsTest {

  private static final long AN_HOUR = 3_600_000;

  static Stream<Arguments> outgoing() {
    return Vectors.rows("outgoing-coordinator.json");
  }

  static Stream<Arguments> incoming() {
    return Vectors.rows("incoming-coordinator.json");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("outgoing")
  void the_outgoing_coordinator_acts_as_the_vectors_say(JsonNode row) {
    play(row);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("incoming")
  void the_incoming_coordinator_acts_as_the_vectors_say(JsonNode row) {
    play(row);
  }

  private static void play(JsonNode written) {
    Fields row = Fields.of(written);
    String name = row.text("name");
    Situation before = row.required("situation", CoordinatorVectorsTest::situation);
    Step found = row.required("message", it -> hand(before, it));
    Step expected =
        row.required(
            "expected",
            it -> {
              List<Action> actions = it.list("messages", CoordinatorVectorsTest::action);
              return Step.of(it.required("situation", CoordinatorVectorsTest::situation), actions);
            });
    row.nothingElse();

    assertEquals(expected.actions(), found.actions(), name);
    assertEquals(expected.situation(), found.situation(), name);
  }

  private static Step hand(Situation before, Fields message) {
    String kind = message.text("message");
    Optional<Subtask> subtask = message.subtask("subtask");
    switch (kind) {
      case "STARTED":
        Map<Subtask, Optional<Finished>> subtasks =
            message.subtasks(
                "subtasks",
                it ->
                    it.isNull()
                        ? Optional.empty()
                        : Optional.of(Fields.whole(it, Written::finished)));
        return Coordinator.onStarted(before, message.optionalCount("restored"), subtasks);
      case "READ":
        long version = message.count("version");
        return Coordinator.onRead(before, version, message.required("record", Written::handover));
      case "WRITE_FAILED":
        return Coordinator.onWriteFailed(before);
      case "READY":
        return Coordinator.onReady(before, subtask.orElseThrow());
      case "ANSWERED":
        return Coordinator.onAnswered(
            before, subtask.orElseThrow(), message.count("attempt"), Written.answer(message));
      case "REPORTED":
        return Coordinator.onReported(
            before,
            subtask.orElseThrow(),
            message.count("attempt"),
            message.required("report", Written::subtaskReport));
      case "AT_BARRIER":
        return Coordinator.onBarrier(
            before, subtask.orElseThrow(), message.required("barrier", Written::atBarrier));
      case "FINISHED":
        return Coordinator.onFinished(
            before, subtask.orElseThrow(), message.count("attempt"), Written.finished(message));
      case "COMPLETED":
        return Coordinator.onCompleted(before, message.count("checkpoint"));
      case "PUBLISH_DUE":
        return Coordinator.onPublishDue(before);
      case "HOLD_TIMEOUT":
        return Coordinator.onHoldTimeout(before);
      default:
        throw new AssertionError("nobody knows the message " + kind);
    }
  }

  private static Situation situation(Fields written) {
    Map<Subtask, SubtaskSituation> subtasks =
        written.subtasks("subtasks", it -> Fields.whole(it, CoordinatorVectorsTest::subtask));
    return Situation.builder()
        .job(written.required("job", Written::job))
        .incarnation(written.count("incarnation"))
        .maxCutLead(written.optional("maxCutLead", Json::number).orElse(AN_HOUR))
        .names(written.optional("names", Written::names).orElse(Map.of()))
        .standing(written.required("standing", Written::standing))
        .seen(
            written.object(
                "seen",
                it -> {
                  long version = it.count("version");
                  return Seen.of(version, it.required("record", Written::handover));
                }))
        .writing(written.optionalCount("writing"))
        .awaitsTasks(written.truth("awaitsTasks"))
        .told(written.object("told", Written::orders))
        .publishDue(written.truth("publishDue"))
        .heldTooLong(written.truth("heldTooLong"))
        .completed(written.optionalCount("completed"))
        .passed(
            written.object("passed", it -> Passed.of(it.count("epoch"), it.count("checkpoint"))))
        .subtasks(new TreeMap<>(subtasks))
        .build();
  }

  private static SubtaskSituation subtask(Fields written) {
    SubtaskSituation.Builder subtask =
        SubtaskSituation.builder()
            .finished(written.object("finished", Written::finished))
            .barriers(written.list("barriers", Written::atBarrier));
    written.object("report", Written::subtaskReport).ifPresent(subtask::report);
    written.object("answer", Written::answer).ifPresent(subtask::answer);
    return subtask.build();
  }

  private static Action action(Fields written) {
    String kind = written.text("action");
    switch (kind) {
      case "WRITE":
        return Action.write(
            written.count("expected"), written.required("change", CoordinatorVectorsTest::change));
      case "TELL":
        Orders orders = written.required("orders", Written::orders);
        return written
            .subtask("subtask")
            .map(it -> Action.tell(it, orders))
            .orElseGet(() -> Action.tellAll(orders));
      default:
        throw new AssertionError("nobody knows the action " + kind);
    }
  }

  private static Change change(Fields written) {
    switch (written.name("change", Change.Kind.class)) {
      case REPORT:
        return Change.report(written.optional("report", Written::report).orElseThrow());
      case PUBLISH:
        return Change.publish(
            written.eventTime("highest"),
            written.optional("report", Written::report).orElseThrow());
      case CUT:
        return Change.cut(written.number("cut"));
      default:
        return Change.abort(written.optional("reason", Written::reason).orElseThrow());
    }
  }
}
