package io.github.sluiceflink.gate.bench;

import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/** How long the chain's thread has worked for a record, by the turnstile. */
public final class WorkProfiler implements InternalProfiler {

  static final String LABEL = "work";

  private long workedNs;
  private long through;

  @Override
  public String getDescription() {
    return "the time of a processor that a record takes";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    workedNs = Turnstile.workedNs();
    through = Turnstile.through();
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    long records = Turnstile.through() - through;
    double worked = Turnstile.workedNs() - workedNs;
    return List.of(
        new ScalarResult(
            LABEL, records == 0 ? 0 : worked / records, "ns/op", AggregationPolicy.AVG));
  }
}
