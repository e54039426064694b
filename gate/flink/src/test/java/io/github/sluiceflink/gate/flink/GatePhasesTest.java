package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Told;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every cell of the table of phases, through the operator. The gate has emitted up to 20 before it
 * is told; H is 30 and W is 40. After that come, with the watermark at 10: a record without a
 * timestamp, one at 20 (the answer), 25, 30 (H), 31, 39, 40 (W), 41. Then, with the watermark at
 * 39, which is W-1: a late one at 15 and one at 45.
 */
@Timeout(300)
final class GatePhasesTest {

  private static final String[] ALL = {"-", "20", "25", "30", "31", "39", "40", "41", "15", "45"};

  private static Configuration options(String... keysAndValues) {
    Configuration options = new Configuration();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      options.setString(keysAndValues[i], keysAndValues[i + 1]);
    }
    return options;
  }

  private static Configuration strict() {
    return options("bluegreen.gate.ordering", "STRICT");
  }

  private static Configuration inTime() {
    return options("bluegreen.gate.late-records", "OUTGOING");
  }

  static Stream<Arguments> cells() {
    Configuration plain = options();
    String all = String.join(" ", ALL);
    String none = "";
    return Stream.of(
        // What is told; what passes; what is kept. The rest is the other job's.
        Arguments.of("nothing", plain, null, none, all),
        Arguments.of("STABLE", plain, Told.outgoing(Phase.stable()), all, none),
        Arguments.of("STANDBY, outgoing", plain, Told.outgoing(Phase.standby(30)), all, none),
        Arguments.of(
            "PREPARE, outgoing",
            plain,
            Told.outgoing(Phase.prepare(30)),
            "- 20 15",
            "25 30 31 39 40 41 45"),
        Arguments.of(
            "PREPARE with the cut, outgoing",
            plain,
            Told.outgoing(Phase.prepare(30, 40)),
            "- 20 25 30 31 39 15",
            "40 41 45"),
        Arguments.of(
            "COMMIT, outgoing",
            plain,
            Told.outgoing(Phase.commit(40)),
            "- 20 25 30 31 39 15",
            none),
        Arguments.of("SEALED, outgoing", plain, Told.outgoing(Phase.sealed(40)), none, none),
        Arguments.of("ABORT, outgoing", plain, Told.outgoing(Phase.abort()), all, none),
        Arguments.of(
            "STANDBY, incoming",
            plain,
            Told.incoming(Phase.standby(30)),
            none,
            // Behind the watermark, which had passed H, the outgoing job may never see it.
            "31 39 40 41 15 45"),
        Arguments.of(
            "PREPARE, incoming",
            plain,
            Told.incoming(Phase.prepare(30)),
            none,
            "31 39 40 41 15 45"),
        Arguments.of(
            "COMMIT, incoming", plain, Told.incoming(Phase.commit(40)), "40 41 15 45", none),
        Arguments.of(
            "SEALED, incoming", plain, Told.incoming(Phase.sealed(40)), "40 41 15 45", none),
        Arguments.of(
            "COMMIT, incoming, late ones outgoing",
            inTime(),
            Told.incoming(Phase.commit(40)),
            "40 41 45",
            none),
        Arguments.of(
            "COMMIT, incoming, strict",
            strict(),
            Told.incoming(Phase.commit(40)),
            none,
            "40 41 15 45"),
        Arguments.of(
            "SEALED, incoming, strict",
            strict(),
            Told.incoming(Phase.sealed(40)),
            "40 41 15 45",
            none),
        Arguments.of("ABORT, incoming", plain, Told.incoming(Phase.abort()), none, none),
        Arguments.of("STABLE, incoming", plain, Told.incoming(Phase.stable()), none, none),
        Arguments.of("another's record", plain, Told.stranger(), none, none));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cells")
  void judgesEachRecord(String cell, Configuration options, Told told, String passes, String keeps)
      throws Exception {
    try (GateScene<String> gate = GateScene.start(options, null)) {
      gate.outgoing(Phase.stable());
      gate.record("emitted before", 20);
      gate.passed();
      if (told != null) {
        gate.told(told);
        send(gate);
        check(gate, passes, keeps);
      }
    }
    if (told == null) {
      try (GateScene<String> gate = GateScene.start(options, null)) {
        send(gate);
        check(gate, passes, keeps);
      }
    }
  }

  /** What was kept while nothing was known is judged as if it came then. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("cells")
  void judgesWhatItKeptInTheSameWay(
      String cell, Configuration options, Told told, String passes, String keeps) throws Exception {
    if (told == null || cell.equals("PREPARE, outgoing")) {
      // There what it has emitted before counts, and nothing was.
      return;
    }
    try (GateScene<String> gate = GateScene.start(options, null)) {
      send(gate);
      assertEquals(List.of(), gate.passed());

      gate.told(told);

      check(gate, passes, keeps);
    }
  }

  private static void send(GateScene<String> gate) throws Exception {
    gate.watermark(10);
    gate.untimed("-");
    for (String one : Arrays.asList(ALL).subList(1, 8)) {
      gate.record(one, Long.parseLong(one));
    }
    gate.watermark(39);
    gate.record("15", 15);
    gate.record("45", 45);
  }

  private static void check(GateScene<String> gate, String passes, String keeps) throws Exception {
    List<String> passing = split(passes);
    List<String> kept = split(keeps);
    assertEquals(passing, gate.passed());
    assertEquals(kept.size(), gate.kept());
    assertEquals(ALL.length - passing.size() - kept.size(), gate.counts().dropped);
    // Whatever was kept comes out again, in its order and with its timestamp.
    gate.told(3, GateScene.ATTEMPT, Told.outgoing(Phase.stable()));
    assertEquals(kept, gate.passed());
    assertEquals(0, gate.counts().keptBytes);
  }

  private static List<String> split(String words) {
    return words.isEmpty() ? new ArrayList<>() : Arrays.asList(words.split(" "));
  }
}
