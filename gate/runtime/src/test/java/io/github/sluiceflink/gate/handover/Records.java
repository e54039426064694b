package io.github.sluiceflink.gate.handover;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

/** Records for the tests of the codec. */
final class Records {

  private Records() {}

  /** A report in which every key has a value. */
  static Report fullReport() {
    return Report.builder()
        .createdFor(2)
        .attempt(5)
        .incarnation(77)
        .restores(List.of(Restore.of(4, OptionalLong.of(11)), Restore.of(5, OptionalLong.empty())))
        .completed(OptionalLong.of(12))
        .passed(Optional.of(Passed.of(3, 12)))
        .gates(
            GatesReport.of(
                true,
                OptionalLong.of(3),
                40,
                45,
                Figures.builder()
                    .emitted(1)
                    .dropped(2)
                    .kept(3)
                    .keptBytes(4)
                    .late(5)
                    .untimed(6)
                    .offClock(7)
                    .build(),
                List.of(
                    GateReport.of(0, "files", 40, true, Figures.builder().emitted(1).build()),
                    GateReport.of(1, "", 41, false, Figures.builder().offClock(7).build()))))
        .build();
  }

  /** A reason of every kind. */
  static List<AbortReason> reasons() {
    return List.of(
        AbortReason.holdTimeout(),
        AbortReason.cutTooFar(Optional.of(Subtask.of(0, 3)), 9_000_000, 50),
        AbortReason.cutTooFar(Optional.empty(), Times.NO_TIMESTAMP, 50),
        AbortReason.noWatermark(),
        AbortReason.idle(),
        AbortReason.behindFork(OptionalLong.of(4)),
        AbortReason.behindFork(OptionalLong.empty()),
        AbortReason.outgoingLost(),
        AbortReason.operator("it was not ready in time"));
  }

  /** The data of a record in which every key has a value. */
  static Map<String, String> full() {
    return RecordCodec.encode(
        HandoverRecord.builder()
            .epoch(3)
            .phase(Phase.prepare(45, 46))
            .active(Job.of(Color.BLUE, 2))
            .incoming(OptionalLong.of(3))
            .fork(Optional.of(Fork.of(11, 4)))
            .savepoint(Optional.of("file:/savepoints/3-1/savepoint-a-b"))
            .deadline(Optional.of(Instant.parse("2026-01-31T12:00:00Z")))
            .reason(Optional.of(AbortReason.noWatermark()))
            .blue(Optional.of(fullReport()))
            .green(Optional.of(fullReport()))
            .firstDeployment(true)
            .deletionDelayMs(5_000)
            .build());
  }

  /** Any record. Numbers are low, lowest and highest more often than chance would have it. */
  static HandoverRecord any(Random random) {
    return HandoverRecord.builder()
        .epoch(count(random))
        .phase(phase(random))
        .active(Job.of(random.nextBoolean() ? Color.BLUE : Color.GREEN, count(random)))
        .incoming(optionalCount(random))
        .fork(maybe(random, Fork.of(count(random), count(random))))
        .deadline(
            maybe(random, Instant.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000))))
        .savepoint(maybe(random, "s3://b/" + count(random)))
        .reason(maybe(random, reasons().get(random.nextInt(reasons().size()))))
        .blue(maybe(random, report(random)))
        .green(maybe(random, report(random)))
        .firstDeployment(random.nextBoolean())
        .deletionDelayMs(count(random))
        .build();
  }

  static Phase phase(Random random) {
    long highest = Times.eventTime(number(random));
    switch (random.nextInt(7)) {
      case 0:
        return Phase.stable();
      case 1:
        return Phase.standby(highest);
      case 2:
        return Phase.prepare(highest);
      case 3:
        return Phase.prepare(highest, number(random));
      case 4:
        return Phase.commit(number(random));
      case 5:
        return Phase.sealed(number(random));
      default:
        return Phase.abort();
    }
  }

  static Report report(Random random) {
    List<Restore> restores = new ArrayList<>();
    for (int left = random.nextInt(3); left > 0; left--) {
      restores.add(Restore.of(count(random), optionalCount(random)));
    }
    return Report.builder()
        .createdFor(count(random))
        .attempt(count(random))
        .incarnation(count(random))
        .restores(restores)
        .completed(optionalCount(random))
        .passed(maybe(random, Passed.of(count(random), count(random))))
        .gates(
            GatesReport.of(
                random.nextBoolean(),
                optionalCount(random),
                number(random),
                number(random),
                Figures.builder().emitted(count(random)).late(count(random)).build(),
                gates(random)))
        .build();
  }

  private static List<GateReport> gates(Random random) {
    List<GateReport> gates = new ArrayList<>();
    for (int gate = random.nextInt(3); gate > 0; gate--) {
      Figures figures = Figures.builder().kept(count(random)).offClock(count(random)).build();
      String name = random.nextBoolean() ? "sink \"" + gate + '"' : "";
      gates.add(GateReport.of(gate, name, number(random), random.nextBoolean(), figures));
    }
    return gates;
  }

  static long number(Random random) {
    switch (random.nextInt(4)) {
      case 0:
        return random.nextInt(3) - 1;
      case 1:
        return Long.MIN_VALUE + random.nextInt(2);
      case 2:
        return Long.MAX_VALUE - random.nextInt(2);
      default:
        return random.nextLong();
    }
  }

  static long count(Random random) {
    return number(random) & Long.MAX_VALUE;
  }

  private static OptionalLong optionalCount(Random random) {
    return random.nextBoolean() ? OptionalLong.of(count(random)) : OptionalLong.empty();
  }

  private static <T> Optional<T> maybe(Random random, T value) {
    return random.nextBoolean() ? Optional.of(value) : Optional.empty();
  }
}
