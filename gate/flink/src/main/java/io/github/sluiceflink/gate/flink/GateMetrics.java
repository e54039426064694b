package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Times;
import io.github.sluiceflink.gate.handover.Told;
import java.util.OptionalLong;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * What a gate's subtask shows of itself in Flink's metrics, in the group {@code gate}. Counts are
 * of records since the subtask started.
 */
final class GateMetrics {

  private GateMetrics() {}

  static void register(MetricGroup operator, GateSubtask<?> gate, Timestamps<?> timestamps) {
    MetricGroup group = operator.addGroup("gate");
    GateCounts counts = gate.counts();
    group.gauge("phase", (Gauge<Integer>) () -> phase(gate));
    group.gauge("epoch", (Gauge<Long>) () -> gate.orders().map(Orders::epoch).orElse(-1L));
    group.gauge("cut", (Gauge<Long>) () -> cut(gate).orElse(Times.NO_TIMESTAMP));
    group.gauge("cutDistance", (Gauge<Long>) () -> distance(gate));
    group.gauge("emitted", (Gauge<Long>) () -> counts.emitted);
    group.gauge("dropped", (Gauge<Long>) () -> counts.dropped);
    group.gauge("kept", (Gauge<Long>) () -> counts.kept);
    group.gauge("keptBytes", (Gauge<Long>) () -> counts.keptBytes);
    group.gauge("late", (Gauge<Long>) () -> counts.late);
    group.gauge("untimed", (Gauge<Long>) () -> counts.untimed);
    group.gauge("offClock", (Gauge<Long>) () -> counts.offClock);
    group.gauge("timestampTrouble", (Gauge<String>) () -> timestamps.trouble().orElse(""));
  }

  /**
   * 0: told nothing; 1 to 6: STABLE, STANDBY, PREPARE, COMMIT, SEALED, ABORT; 7: not its record.
   */
  private static int phase(GateSubtask<?> gate) {
    if (!gate.orders().isPresent()) {
      return 0;
    }
    return gate.phase()
        .map(it -> it.name().ordinal() + 1)
        .orElse(
            gate.orders().get().told().role() == Told.Role.STRANGER
                ? Phase.Name.values().length + 1
                : 0);
  }

  private static OptionalLong cut(GateSubtask<?> gate) {
    return gate.phase().map(Phase::cut).orElseGet(OptionalLong::empty);
  }

  /** How far the watermark has to go to the cut, in milliseconds; 0 without a cut. */
  private static long distance(GateSubtask<?> gate) {
    OptionalLong cut = cut(gate);
    if (!cut.isPresent()) {
      return 0;
    }
    if (gate.watermark() == Times.NO_WATERMARK) {
      return Long.MAX_VALUE;
    }
    return cut.getAsLong() - 1 - gate.watermark();
  }
}
