package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Times;
import io.github.sluiceflink.gate.handover.Told;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a gate has in its checkpoints, and what it makes of it. */
@Timeout(300)
final class GateStateTest {

  private static final Configuration PLAIN = new Configuration();

  private static long answer(GateScene<String> gate) {
    gate.outgoing(Phase.prepare(Times.NO_TIMESTAMP));
    return gate.said(GateEvent.Answering.class).get(0).answer.highest();
  }

  @Test
  void g12WhatItKeepsAndItsMarksOutliveARestart() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.stable());
      gate.record("emitted", 20);
      gate.watermark(10);
      gate.outgoing(Phase.prepare(15));
      gate.record("kept", 25);
      gate.untimed("untimed");
      gate.record("kept, too", 22);
      state = gate.checkpoint(7);
    }

    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      assertEquals(List.of(), gate.passed());
      assertEquals(2, gate.kept());
      assertEquals(20, answer(gate));
      gate.outgoing(Phase.abort());
      List<StreamRecord<? extends String>> records = gate.harness.extractOutputStreamRecords();
      assertEquals(new StreamRecord<>("kept", 25), records.get(0));
      assertEquals(new StreamRecord<>("kept, too", 22), records.get(1));
      assertEquals(10, gate.lastReport().report.watermark());
    }
  }

  @Test
  void g3AndG33AnIncomingJobThatRestartsInStandbyHasWhatMayBeItsOwn() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.incoming(Phase.standby(30));
      for (long time = 28; time < 44; time++) {
        gate.record("at " + time, time);
      }
      state = gate.checkpoint(1);
    }

    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      gate.incoming(Phase.standby(35));
      assertEquals(List.of(), gate.passed());
      gate.incoming(Phase.commit(41));
      assertEquals(List.of("at 41", "at 42", "at 43"), gate.passed());
    }
  }

  @Test
  void g26RescaledUpEachKeptRecordIsSomeSubtasks() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.stable());
      gate.record("emitted", 20);
      gate.watermark(10);
      gate.outgoing(Phase.prepare(15));
      for (int i = 0; i < 20_000; i++) {
        gate.record("kept " + i, 100 + i);
      }
      state = gate.checkpoint(7);
    }

    Set<String> seen = new TreeSet<>();
    int subtasksWithRecords = 0;
    long highest = Times.NO_TIMESTAMP;
    for (int index = 0; index < 3; index++) {
      OperatorSubtaskState dealt =
          AbstractStreamOperatorTestHarness.repartitionOperatorState(state, 128, 1, 3, index);
      try (GateScene<String> gate = GateScene.start(PLAIN, dealt, 3, index)) {
        highest = Math.max(highest, answer(gate));
        // None is lower than the lowest, so that nothing is taken for late that is not.
        assertEquals(Times.NO_WATERMARK, gate.lastReport().report.watermark());
        gate.outgoing(Phase.abort());
        List<String> passed = gate.passed();
        subtasksWithRecords += passed.isEmpty() ? 0 : 1;
        passed.forEach(it -> assertTrue(seen.add(it), it + " came twice"));
      }
    }
    assertEquals(20_000, seen.size());
    assertTrue(subtasksWithRecords > 1, "they are dealt out");
    assertEquals(20, highest);
  }

  @Test
  void g26RescaledDownASubtaskHasEverythingAndTheHighestMarks() throws Exception {
    List<OperatorSubtaskState> states = new ArrayList<>();
    for (int index = 0; index < 3; index++) {
      try (GateScene<String> gate = GateScene.start(PLAIN, null, 3, index)) {
        gate.outgoing(Phase.stable());
        gate.record("emitted", 20 + index);
        gate.outgoing(Phase.prepare(15));
        gate.record("kept " + index, 100);
        states.add(gate.checkpoint(7));
      }
    }
    OperatorSubtaskState all =
        AbstractStreamOperatorTestHarness.repackageState(
            states.toArray(new OperatorSubtaskState[0]));
    OperatorSubtaskState dealt =
        AbstractStreamOperatorTestHarness.repartitionOperatorState(all, 128, 3, 1, 0);

    try (GateScene<String> gate = GateScene.start(PLAIN, dealt)) {
      assertEquals(22, answer(gate));
      gate.outgoing(Phase.abort());
      assertEquals(Set.of("kept 0", "kept 1", "kept 2"), Set.copyOf(gate.passed()));
    }
  }

  /** Flink takes no checkpoint of a vertex with union state once only some subtasks have ended. */
  @Test
  void g30HasNoUnionState() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.record("kept", 25);
      for (OperatorStateHandle handle : gate.checkpoint(1).getManagedOperatorState()) {
        assertEquals(2, handle.getStateNameToPartitionOffsets().size());
        handle
            .getStateNameToPartitionOffsets()
            .forEach(
                (name, meta) ->
                    assertEquals(
                        OperatorStateHandle.Mode.SPLIT_DISTRIBUTE, meta.getDistributionMode()));
      }
    }
  }

  @Test
  void aGateThatKeepsNothingBearsAnotherTypeOfRecords() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.stable());
      gate.record("emitted", 20);
      state = gate.checkpoint(1);
    }

    try (GateScene<Long> gate =
        new GateScene<>(PLAIN, LongSerializer.INSTANCE, Timestamps.own(), 1, 0)) {
      gate.open(state);
      gate.outgoing(Phase.stable());
      gate.record(4L, 30);
      assertEquals(List.of(4L), gate.passed());
    }
  }

  @Test
  void keptRecordsFollowTheirTypeWhenItChanges() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate =
        new GateScene<>(PLAIN, new GrowingSerializer(1), Timestamps.own(), 1, 0)) {
      gate.open(null);
      gate.record("kept", 25);
      state = gate.checkpoint(1);
    }

    try (GateScene<String> gate =
        new GateScene<>(PLAIN, new GrowingSerializer(2), Timestamps.own(), 1, 0)) {
      gate.open(state);
      gate.told(Told.outgoing(Phase.stable()));
      assertEquals(List.of("kept"), gate.passed());
    }
  }

  @Test
  void refusesKeptRecordsOfATypeThatCannotBecomeThePresentOne() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.record("kept", 25);
      state = gate.checkpoint(1);
    }

    GateScene<Long> gate = new GateScene<>(PLAIN, LongSerializer.INSTANCE, Timestamps.own(), 1, 0);
    Exception refusal = assertThrows(Exception.class, () -> gate.open(state));

    assertTrue(refusal.getMessage().contains("cannot become the present one"), "" + refusal);
  }

  @Test
  void g25SaysAtEachBarrierHowItStands() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.checkpoint(1);
      assertEquals(List.of(), gate.said(GateEvent.Standing.class), "it knows no attempt yet");
      gate.outgoing(Phase.prepare(15, 40));
      gate.watermark(30);
      gate.record("kept", 44);
      gate.checkpoint(2);
      GateEvent.Standing standing = gate.said(GateEvent.Standing.class).get(0);
      assertEquals(2, standing.barrier.checkpoint());
      assertEquals(GateScene.ATTEMPT, standing.barrier.attempt());
      assertEquals(30, standing.barrier.watermark());
      assertEquals(44, standing.barrier.lowestKept());
    }
  }
}
