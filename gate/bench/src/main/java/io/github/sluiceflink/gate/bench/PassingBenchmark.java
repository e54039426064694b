package io.github.sluiceflink.gate.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** How long a job takes for a record that passes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 4, time = 1)
@Fork(1)
public class PassingBenchmark {

  private static final int RECORDS = 1_000_000;

  @Param({"NONE", "OPERATOR", "PASSING"})
  public Gates gates;

  @Param({"LONG_REUSED", "POJO_COPIED"})
  public Records records;

  private ChainJob job;

  @Setup(Level.Trial)
  public void start() throws Exception {
    job = ChainJob.start(gates, records);
  }

  @TearDown(Level.Trial)
  public void stop() throws Exception {
    job.close();
  }

  @Benchmark
  @OperationsPerInvocation(RECORDS)
  public void pass() throws InterruptedException {
    job.pass(RECORDS);
  }
}
