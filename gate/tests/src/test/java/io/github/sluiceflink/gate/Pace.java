package io.github.sluiceflink.gate;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.connector.datagen.source.GeneratorFunction;

/**
 * How fast a job reads its numbers, and how far it has come. A test can let a job take its time
 * until another one is up, however slow the machine is, and then have it finish. Jobs and tests
 * share a JVM.
 */
final class Pace implements GeneratorFunction<Long, Long> {

  private static final Map<String, AtomicLong> PROCESSED = new ConcurrentHashMap<>();
  private static final Map<String, Boolean> HURRIED = new ConcurrentHashMap<>();
  private static final Map<String, Boolean> CRASHES = new ConcurrentHashMap<>();

  private final String job;

  Pace(String job) {
    this.job = job;
  }

  @Override
  public Long map(Long number) throws InterruptedException {
    if (CRASHES.remove(job) != null) {
      throw new IllegalStateException("the test wants it to crash");
    }
    if (!HURRIED.getOrDefault(job, false)) {
      Thread.sleep(1);
    }
    return number;
  }

  /** Counts one record that has reached the operators before the sinks. */
  static void processed(String job) {
    PROCESSED.computeIfAbsent(job, it -> new AtomicLong()).incrementAndGet();
  }

  static long allProcessed(String job) {
    return PROCESSED.getOrDefault(job, new AtomicLong()).get();
  }

  /** Lets a job fail, once. */
  static void crash(String job) {
    CRASHES.put(job, true);
  }

  /** Whether a job has still to fail. */
  static boolean crashes(String job) {
    return CRASHES.containsKey(job);
  }

  static void hurry(String job) {
    HURRIED.put(job, true);
  }
}
