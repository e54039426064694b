package io.github.sluiceflink.gate.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/** Records that pass. */
@BenchmarkMode(Mode.AverageTime)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
public class PassingBenchmark extends ChainBenchmark {

  private static final int RECORDS = 1_000_000;

  @Param({"NONE", "OPERATOR", "PASSING"})
  public Gates gates;

  @Override
  Gates gates() {
    return gates;
  }

  @Benchmark
  @OperationsPerInvocation(RECORDS)
  public void pass() throws InterruptedException {
    let(RECORDS);
  }
}
