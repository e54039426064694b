package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GateVectorsTest {

  static Stream<Arguments> rows() {
    return Vectors.rows("gate.json");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void a_gate_acts_as_the_vectors_say(JsonNode written) {
    Fields row = Fields.of(written);
    String name = row.text("name");
    Deeds deeds = new Deeds();
    Gate<String> gate = row.required("situation", it -> gate(it, deeds));
    row.required("message", it -> hand(gate, it));

    Deeds expected = new Deeds();
    Gate<String> after =
        row.required(
            "expected",
            it -> {
              it.list("messages", deed -> expected.add(deed));
              return it.required("situation", situation -> gate(situation, new Deeds()));
            });
    row.nothingElse();

    assertEquals(expected.done, deeds.done, name);
    assertEquals(after.orders(), gate.orders(), name);
    assertEquals(after.state(), gate.state(), name);
  }

  private static Gate<String> gate(Fields situation, Deeds deeds) {
    Rules rules = situation.object("rules", Written::rules).orElse(Rules.DEFAULT);
    Optional<Orders> orders = situation.object("orders", Written::orders);
    GateState<String> state = state(situation);
    return orders
        .map(it -> Gate.resume(rules, it, state, deeds))
        .orElseGet(() -> Gate.start(rules, state, deeds));
  }

  private static GateState<String> state(Fields written) {
    return GateState.of(
        written.list(
            "kept",
            it -> Kept.of(it.text("record"), it.eventTime("timestamp"), it.watermark("arrival"))),
        written.eventTime("emitted"),
        written.eventTime("dropped"),
        written.watermark("watermark"));
  }

  static Stream<Arguments> rescalings() {
    return Vectors.rows("rescale.json");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rescalings")
  void subtasks_restore_what_the_vectors_say(JsonNode written) {
    Fields row = Fields.of(written);
    String name = row.text("name");
    List<GateState<String>> checkpoint = row.list("checkpoint", GateVectorsTest::state);
    int parallelism = Math.toIntExact(row.number("parallelism"));
    List<GateState<String>> expected = row.list("expected", GateVectorsTest::state);
    row.nothingElse();

    assertEquals(expected, GateState.restore(checkpoint, parallelism), name);
  }

  private static boolean hand(Gate<String> gate, Fields message) {
    String kind = message.text("message");
    switch (kind) {
      case "TOLD":
        gate.onTold(message.required("orders", Written::orders));
        return true;
      case "RECORD":
        gate.onRecord(message.text("record"), message.eventTime("timestamp"));
        return true;
      case "WATERMARK":
        gate.onWatermark(message.watermark("watermark"));
        return true;
      case "BARRIER":
        gate.onBarrier(message.count("checkpoint"));
        return true;
      default:
        throw new AssertionError("nobody knows the message " + kind);
    }
  }

  /** What a gate did, or has to do, in order. */
  private static final class Deeds implements GateOutput<String> {

    private final List<List<Object>> done = new ArrayList<>();

    boolean add(Fields written) {
      String kind = written.text("action");
      switch (kind) {
        case "EMIT":
          emit(written.text("record"));
          return true;
        case "DROP":
          drop(written.text("record"));
          return true;
        case "ANSWER":
          answer(written.count("attempt"), Written.answer(written));
          return true;
        case "AT_BARRIER":
          atBarrier(written.required("barrier", Written::atBarrier));
          return true;
        default:
          throw new AssertionError("nobody knows the action " + kind);
      }
    }

    @Override
    public void emit(String record) {
      done.add(List.of("emit", record));
    }

    @Override
    public void drop(String record) {
      done.add(List.of("drop", record));
    }

    @Override
    public void answer(long attempt, Answer answer) {
      done.add(List.of("answer", attempt, answer));
    }

    @Override
    public void atBarrier(AtBarrier barrier) {
      done.add(List.of("at barrier", barrier));
    }
  }
}
