package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Times;
import io.github.sluiceflink.gate.handover.Told;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.LatencyMarker;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Watermarks, idle inputs, ends of input, and waiting. */
@Timeout(300)
final class GateInputTest {

  private static final Configuration PLAIN = new Configuration();

  private static Configuration with(String key, String value) {
    Configuration options = new Configuration();
    options.setString(key, value);
    return options;
  }

  @Test
  void watermarksIdlenessAndLatencyMarkersPass() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.stable());
      LatencyMarker marker = new LatencyMarker(1, new OperatorID(), 0);
      gate.watermark(10);
      gate.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      gate.harness.processWatermarkStatus(WatermarkStatus.ACTIVE);
      gate.harness.getOneInputOperator().processLatencyMarker(marker);
      assertEquals(
          List.of(new Watermark(10), WatermarkStatus.IDLE, WatermarkStatus.ACTIVE, marker),
          gate.output());
    }
  }

  @Test
  void noWatermarkIsAheadOfARecordThatIsKept() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.stable());
      gate.record("emitted", 20);
      gate.outgoing(Phase.prepare(15));
      gate.record("kept", 25);
      gate.record("kept, too", 31);
      gate.passed();

      gate.watermark(30);
      assertEquals(List.of(24L), gate.watermarks());

      gate.outgoing(Phase.prepare(15, 28));
      assertEquals(
          List.of(new StreamRecord<>("kept", 25), new Watermark(30)),
          gate.output(),
          "the record that was kept comes before the watermark that waited for it");

      gate.watermark(40);
      assertEquals(List.of(), gate.watermarks(), "one is still kept");
      gate.outgoing(Phase.commit(28));
      assertEquals(List.of(40L), gate.watermarks());
    }
  }

  @Test
  void noWatermarkPassesAKeptRecordWithoutATimestamp() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.untimed("kept");
      gate.watermark(30);
      assertEquals(List.of(), gate.watermarks());
      gate.outgoing(Phase.stable());
      assertEquals(List.of(new StreamRecord<>("kept"), new Watermark(30)), gate.output());
    }
  }

  @Test
  void aRestoredWatermarkIsNotHandedOn() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.watermark(30);
      state = gate.checkpoint(1);
    }
    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      gate.outgoing(Phase.stable());
      assertEquals(List.of(), gate.watermarks());
      gate.watermark(12);
      assertEquals(List.of(12L), gate.watermarks());
      assertEquals(30, gate.lastReport().report.watermark(), "but it is what counts");
    }
  }

  @Test
  void g10AnIdleSubtaskAnswersAndSaysThatItIsIdle() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.harness.processWatermarkStatus(WatermarkStatus.IDLE);
      gate.outgoing(Phase.prepare(15));
      GateEvent.Answering answer = gate.said(GateEvent.Answering.class).get(0);
      assertEquals(GateScene.ATTEMPT, answer.attempt);
      assertEquals(GateScene.EPOCH, answer.answer.epoch());
      assertEquals(Times.NO_TIMESTAMP, answer.answer.highest());
      assertTrue(gate.lastReport().report.idle());
    }
  }

  @Test
  void g15AndG34WhatIsOlderHasNoEffectAndANewAttemptIsAnsweredAnew() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.prepare(15));
      gate.told(GateScene.EPOCH - 1, GateScene.ATTEMPT, Told.outgoing(Phase.stable()));
      gate.told(GateScene.EPOCH + 1, GateScene.ATTEMPT - 1, Told.outgoing(Phase.stable()));
      gate.record("kept", 25);
      assertEquals(List.of(), gate.passed());

      gate.told(GateScene.EPOCH, GateScene.ATTEMPT + 1, Told.outgoing(Phase.prepare(15)));
      assertEquals(GateScene.ATTEMPT + 1, gate.said(GateEvent.Answering.class).get(1).attempt);
    }
  }

  @Test
  void whatIsToldTwiceOrOutOfOrderIsTakenOnce() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      GateEvent.Telling prepare =
          new GateEvent.Telling(
              1, Orders.of(GateScene.EPOCH, GateScene.ATTEMPT, Told.outgoing(Phase.prepare(15))));
      GateEvent.Telling commit =
          new GateEvent.Telling(
              3, Orders.of(GateScene.EPOCH, GateScene.ATTEMPT, Told.outgoing(Phase.commit(28))));
      gate.event(prepare);
      gate.event(commit);
      gate.event(prepare);
      gate.event(commit);
      assertEquals(1, gate.said(GateEvent.Answering.class).size());
      gate.record("the other job's", 30);
      assertEquals(0, gate.kept());
      assertEquals(1, gate.counts().dropped);
    }
  }

  @Test
  void reportsWhileAHandoverIsUnderWayAndNotOtherwise() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.harness.setProcessingTime(5_000);
      assertEquals(List.of(), gate.said(GateEvent.Reporting.class), "it knows no attempt");
      gate.outgoing(Phase.stable());
      gate.harness.setProcessingTime(9_000);
      assertEquals(1, gate.said(GateEvent.Reporting.class).size(), "once when it is told");

      gate.outgoing(Phase.standby(15));
      gate.record("emitted", 20);
      gate.untimed("emitted, too");
      gate.harness.setProcessingTime(12_000);

      assertEquals(5, gate.said(GateEvent.Reporting.class).size());
      assertEquals(20, gate.lastReport().report.highest());
      assertEquals(2, gate.lastReport().report.figures().emitted());
      assertEquals(1, gate.lastReport().report.figures().untimed());
    }
  }

  @Test
  void failsWhenItIsToldNothingForTooLongAndNeverOpens() throws Exception {
    try (GateScene<String> gate =
        GateScene.start(with("bluegreen.gate.start-timeout", "30 s"), null)) {
      gate.record("kept", 25);
      gate.harness.setProcessingTime(29_000);
      Exception failure =
          assertThrows(Exception.class, () -> gate.harness.setProcessingTime(31_000));
      assertTrue(
          failure.toString().contains("bluegreen.gate.start-timeout")
              || ("" + failure.getCause()).contains("bluegreen.gate.start-timeout"),
          "" + failure);
      assertEquals(List.of(), gate.passed());
    }
  }

  @Test
  void holdsItsInputBackWhenItKeepsTooMuchAndLosesNothing() throws Exception {
    try (GateScene<String> gate =
        GateScene.start(with("bluegreen.gate.kept-records.max-bytes", "100 b"), null)) {
      gate.incoming(Phase.standby(30));
      gate.record("one", 41);
      gate.record("two", 42);
      AtomicBoolean checkpointed = new AtomicBoolean();
      gate.harness.getTaskMailbox().put(new Mail(() -> checkpointed.set(true), -1, "a checkpoint"));
      gate.toldWhileItWaits(Told.incoming(Phase.standby(35)));
      gate.toldWhileItWaits(Told.incoming(Phase.commit(42)));

      gate.record("three", 43);

      assertFalse(checkpointed.get(), "no checkpoint in the midst of a record");
      assertTrue(
          gate.said(GateEvent.Reporting.class).stream()
              .anyMatch(it -> it.report.figures().keptBytes() > 100),
          "the report says it");
      assertEquals(List.of("two", "three"), gate.passed());
      gate.record("four", 44);
      assertEquals(List.of("four"), gate.passed());
    }
  }

  @Test
  void g30TheEndOfTheInputWaitsUntilNothingIsKept() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.record("one", 41);
      gate.toldWhileItWaits(Told.outgoing(Phase.prepare(30)));
      gate.toldWhileItWaits(Told.outgoing(Phase.prepare(30, 41)));
      gate.toldWhileItWaits(Told.outgoing(Phase.abort()));

      gate.harness.endInput();

      assertEquals(List.of("one"), gate.passed());
      GateEvent.Finishing finishing = gate.said(GateEvent.Finishing.class).get(0);
      assertEquals(41, finishing.finished.highest());
      assertEquals(GateScene.ATTEMPT, finishing.attempt);
      assertEquals(Times.END_OF_INPUT, gate.lastReport().report.watermark());
    }
  }

  @Test
  void g7AnOutgoingJobThatRestartsAfterTheCutEmitsAllBelowIt() throws Exception {
    OperatorSubtaskState state;
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.prepare(30));
      gate.record("below", 25);
      gate.record("above", 45);
      state = gate.checkpoint(1);
    }
    try (GateScene<String> gate = GateScene.start(PLAIN, state)) {
      gate.record("again", 26);
      assertEquals(List.of(), gate.passed(), "nothing before the phase is known");
      gate.outgoing(Phase.commit(40));
      gate.record("later", 39);
      gate.record("not its own", 40);
      assertEquals(List.of("below", "again", "later"), gate.passed());
    }
  }

  @Test
  void g8TheIncomingJobPassesLateRecordsAfterTheHandover() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.incoming(Phase.sealed(40));
      gate.watermark(50);
      gate.record("late", 12);
      assertEquals(1, gate.counts().late);
      gate.told(3, GateScene.ATTEMPT, Told.outgoing(Phase.stable()));
      gate.record("late, too", 13);
      assertEquals(List.of("late", "late, too"), gate.passed());
    }
  }

  @Test
  void g9RecordsWithoutATimestampAreCounted() throws Exception {
    try (GateScene<String> gate = GateScene.start(PLAIN, null)) {
      gate.outgoing(Phase.standby(30));
      gate.untimed("no timestamp");
      gate.record("what a source without watermarks stamps", Long.MIN_VALUE);
      gate.record("the result of a global window", Long.MAX_VALUE);
      assertEquals(3, gate.passed().size());
      assertEquals(3, gate.counts().untimed);
      gate.outgoing(Phase.prepare(30));
      assertEquals(
          Times.NO_TIMESTAMP, gate.said(GateEvent.Answering.class).get(0).answer.highest());
    }
  }

  @Test
  void g24ATieAtTheCutIsTheIncomingJobs() throws Exception {
    try (GateScene<String> blue = GateScene.start(PLAIN, null);
        GateScene<String> green = GateScene.start(PLAIN, null)) {
      blue.outgoing(Phase.commit(40));
      green.incoming(Phase.commit(40));
      for (GateScene<String> gate : List.of(blue, green)) {
        gate.record("39", 39);
        gate.record("40", 40);
        gate.record("40 again", 40);
      }
      assertEquals(List.of("39"), blue.passed());
      assertEquals(List.of("40", "40 again"), green.passed());
    }
  }

  @Test
  void g36SamplesInStandbyWhetherTheTimestampsAreOnTheWatermarksClock() throws Exception {
    long now = 1_790_000_000_000L;
    try (GateScene<String> gate =
        new GateScene<>(PLAIN, StringSerializer.INSTANCE, new InSeconds(), 1, 0)) {
      gate.open(null);
      gate.outgoing(Phase.stable());
      gate.watermark(now);
      gate.record("" + now / 1000, now);
      gate.watermark(now + 1);
      assertEquals(0, gate.counts().offClock, "not before a handover is under way");

      gate.outgoing(Phase.standby(Times.NO_TIMESTAMP));
      gate.record("" + now / 1000, now);
      gate.watermark(now + 2);
      assertEquals(1, gate.counts().offClock);
      gate.record("" + (now + 2), now + 2);
      gate.watermark(now + 3);
      gate.watermark(now + 4);
      assertEquals(1, gate.counts().offClock, "this one was on it, and then none came");
    }
  }

  /** Takes the record itself for its timestamp. */
  private static final class InSeconds implements Timestamps<String> {
    private static final long serialVersionUID = 1L;

    @Override
    public long of(StreamRecord<String> record) {
      return Long.parseLong(record.getValue());
    }
  }
}
