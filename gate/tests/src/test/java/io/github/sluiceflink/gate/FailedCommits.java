package io.github.sluiceflink.gate;

import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Flink's own count of what a committer has given up: nothing else tells of it. */
public final class FailedCommits implements MetricReporter {

  private static final Map<String, Counter> FAILED = new ConcurrentHashMap<>();

  /** The sum over all restarts of a job of this name. */
  static long of(String job) {
    return FAILED.entrySet().stream()
        .filter(counter -> counter.getKey().startsWith(job + " "))
        .mapToLong(counter -> counter.getValue().getCount())
        .sum();
  }

  /** Whether there is anything to count at all. */
  static boolean known(String job) {
    return FAILED.keySet().stream().anyMatch(key -> key.startsWith(job + " "));
  }

  @Override
  public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
    if (name.equals("failedCommittables")) {
      String job = group.getAllVariables().get("<job_name>");
      FAILED.put(job + " " + System.identityHashCode(metric), (Counter) metric);
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}

  @Override
  public void open(MetricConfig configuration) {}

  @Override
  public void close() {}

  /** How Flink finds it. */
  public static final class Factory implements MetricReporterFactory {
    @Override
    public MetricReporter createMetricReporter(Properties properties) {
      return new FailedCommits();
    }
  }
}
