package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.flink.api.common.typeutils.base.StringValueSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.types.StringValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Gates that keep more than a page of records. */
@Timeout(300)
final class GateKeepingTest {

  private static final Configuration PLAIN = new Configuration();

  private static void keep(GateScene<String> gate, long from, long until) throws Exception {
    for (long time = from; time < until; time++) {
      gate.record("at " + time, time);
    }
  }

  private static List<String> expected(long from, long until) {
    return LongStream.range(from, until).mapToObj(it -> "at " + it).collect(Collectors.toList());
  }

  @Test
  void restoredInTheMidstOfAHandoverItGoesOnInTheOrderInWhichTheyCame() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.incoming(Phase.standby(0));
      keep(gate, 1, 10_000);
      gate.incoming(Phase.standby(4_000));
      assertEquals(5_999, gate.kept());
      state = gate.checkpoint(1);
      keep(gate, 10_000, 10_100);
    }
    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      assertEquals(5_999, gate.kept(), "what came after the checkpoint comes again");
      keep(gate, 10_000, 15_000);
      gate.incoming(Phase.standby(7_000));
      state = gate.checkpoint(2);
    }
    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      keep(gate, 15_000, 15_010);
      gate.incoming(Phase.commit(9_000));
      assertEquals(expected(9_000, 15_010), gate.passed());
      assertEquals(0, gate.kept());
      assertEquals(0, gate.counts().keptBytes);
      assertEquals(0, restoredFrom(gate.checkpoint(3)), "nothing is left in the state");
    }
  }

  private static long restoredFrom(OperatorSubtaskState state) throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      return gate.kept();
    }
  }

  @Test
  void itHoldsItsInputBackAtTheSameRecordAsEver() throws Exception {
    Configuration options = new Configuration();
    options.setString("bluegreen.gate.kept-records.max-bytes", "200000 b");
    String value = "x".repeat(100);
    // The value with its length, and its times: 133 bytes.
    int most = 200_000 / (101 + 32);
    try (GateScene<String> gate = GateScene.start(options, null)) {
      gate.incoming(Phase.standby(0));
      for (int time = 1; time <= most; time++) {
        gate.record(value, time);
      }
      assertEquals(most, gate.kept(), "so far nothing had to wait");
      gate.toldWhileItWaits(Told.incoming(Phase.standby(1)));

      gate.record(value, most + 1);

      assertEquals(most, gate.kept(), "it waited until the first was the other job's");
      assertEquals(1, gate.counts().dropped);
    }
  }

  @Test
  void aRecordThatIsLargerThanAPageOutlivesARestartAndRescaling() throws Exception {
    String large = "l".repeat(300_000);
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.incoming(Phase.standby(0));
      gate.record("before", 1);
      gate.record(large, 2);
      gate.record("after", 3);
      state = gate.checkpoint(1);
    }
    List<String> passed = new ArrayList<>();
    for (int index = 0; index < 2; index++) {
      OperatorSubtaskState dealt =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(state, 128, 1, 2, index);
      try (GateScene<String> gate = GateScene.start(PLAIN, dealt, 2, index)) {
        assertTrue(gate.kept() > 0, "both have some");
        gate.incoming(Phase.commit(1));
        passed.addAll(gate.passed());
      }
    }
    assertEquals(3, passed.size());
    assertTrue(Set.copyOf(passed).equals(Set.of("before", large, "after")), "each has come once");
  }

  @Test
  void aRecordThatCannotBeWrittenFailsTheTaskWithASentence() throws Exception {
    try (GateScene<String> gate =
        new GateScene<>(PLAIN, BreakingSerializer.INSTANCE, Timestamps.own(), 1, 0)) {
      gate.open(null);
      gate.record("before", 1);
      Exception failure =
          assertThrows(Exception.class, () -> gate.record(BreakingSerializer.BREAKS, 2));
      assertTrue(failure.getMessage().contains("has to keep cannot be written"), "" + failure);
      gate.record("after", 3);
      OperatorSubtaskState state = gate.checkpoint(1);
      gate.outgoing(Phase.stable());
      assertEquals(List.of("before", "after"), gate.passed());
      try (GateScene<String> restored =
          new GateScene<>(PLAIN, BreakingSerializer.INSTANCE, Timestamps.own(), 1, 0)) {
        restored.open(state);
        restored.outgoing(Phase.stable());
        assertEquals(List.of("before", "after"), restored.passed());
      }
    }
  }

  @Test
  void aRecordWhoseObjectIsUsedAgainIsKeptAsItWas() throws Exception {
    try (GateScene<StringValue> gate =
        new GateScene<>(PLAIN, StringValueSerializer.INSTANCE, Timestamps.own(), 1, 0)) {
      gate.open(null);
      StringValue used = new StringValue("first");
      gate.record(used, 1);
      used.setValue("second");
      gate.record(used, 2);
      used.setValue("third");
      gate.outgoing(Phase.stable());
      assertEquals(List.of(new StringValue("first"), new StringValue("second")), gate.passed());
    }
  }
}
