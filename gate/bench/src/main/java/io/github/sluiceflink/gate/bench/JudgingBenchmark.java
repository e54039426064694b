package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Gate;
import io.github.sluiceflink.gate.handover.GateOutput;
import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Rules;
import io.github.sluiceflink.gate.handover.Told;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What the judging of a record alone takes: the protocol without Flink. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
@Fork(1)
public class JudgingBenchmark {

  private Gate<Object> gate;
  private Output output;
  private Object record;
  private long time;

  @Setup
  public void start(Blackhole hole) {
    record = new Object();
    output = new Output(hole);
    gate =
        Gate.start(
            Rules.of(Rules.Ordering.OVERLAP, Rules.LateRecords.BOTH), GateState.empty(), output);
    gate.onTold(Orders.of(1, 1, Told.outgoing(Phase.stable())));
  }

  @Benchmark
  public void ungated() {
    time++;
    output.emit(record);
  }

  @Benchmark
  public void passing() {
    gate.onRecord(record, time++);
  }

  private static final class Output implements GateOutput<Object> {

    private final Blackhole hole;

    Output(Blackhole hole) {
      this.hole = hole;
    }

    @Override
    public void emit(Object record) {
      hole.consume(record);
    }

    @Override
    public void drop(Object record) {
      throw new AssertionError("a gate of the active job drops nothing");
    }

    @Override
    public void answer(long attempt, Answer answer) {}

    @Override
    public void atBarrier(AtBarrier barrier) {}
  }
}
