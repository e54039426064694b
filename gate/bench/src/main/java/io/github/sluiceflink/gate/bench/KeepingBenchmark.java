package io.github.sluiceflink.gate.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/** Records that the gate keeps: each makes the job larger, so their number is set, not the time. */
@BenchmarkMode(Mode.SingleShotTime)
@Warmup(iterations = 20)
@Measurement(iterations = 20)
public class KeepingBenchmark extends ChainBenchmark {

  private static final int RECORDS = 100_000;

  @Param({"NONE", "KEEPING"})
  public Gates gates;

  @Override
  Gates gates() {
    return gates;
  }

  @Benchmark
  @OperationsPerInvocation(RECORDS)
  public void keep() throws InterruptedException {
    let(RECORDS);
  }
}
