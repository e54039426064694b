package io.github.sluiceflink.gate.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** How long a running job takes for a record. */
@State(Scope.Benchmark)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
public abstract class ChainBenchmark {

  @Param public Records records;

  private ChainJob job;

  /** What stands before the job's sink. */
  abstract Gates gates();

  @Setup(Level.Trial)
  public void start() throws Exception {
    job = ChainJob.start(gates(), records);
  }

  @TearDown(Level.Trial)
  public void stop() throws Exception {
    job.close();
  }

  /** Lets so many records through. */
  final void let(long through) throws InterruptedException {
    job.pass(through);
  }
}
