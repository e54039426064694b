package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JudgeVectorsTest {

  static Stream<Arguments> rows() {
    return Vectors.rows("judge.json");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void a_gate_judges_as_the_vectors_say(JsonNode written) {
    Fields row = Fields.of(written);
    String name = row.text("name");
    Told told = row.required("told", Written::told);
    Rules rules = row.object("rules", Written::rules).orElse(Rules.DEFAULT);
    long emitted = row.eventTime("emitted");
    long arrival = row.watermark("arrival");
    long timestamp = row.eventTime("timestamp");
    Verdict expected = row.name("verdict", Verdict.class);
    row.nothingElse();

    assertEquals(
        expected,
        Judge.judge(Cell.of(rules, told), Cell.bound(told), emitted, arrival, timestamp),
        name);
  }
}
