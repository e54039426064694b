package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Job;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * A job with two gates at parallelism 3 in a cluster in this JVM, with the handover record in a
 * directory. Each source subtask counts from 0 on, and what it counts is the event time.
 */
final class GatedJob implements AutoCloseable {

  static final int PARALLELISM = 3;

  /** What one source subtask counts up to. */
  private final long perSubtask;

  private final String id = UUID.randomUUID().toString();
  private final JobClient client;

  /** What all jobs of this JVM have seen behind their gates, by their id. */
  private static final Map<String, State> ALL = new ConcurrentHashMap<>();

  private static final class State {
    final List<ConcurrentLinkedQueue<Long>> behindGates = new ArrayList<>();
    final AtomicBoolean fails = new AtomicBoolean();
    final AtomicLong read = new AtomicLong();
    volatile long pauseMs = 1;
  }

  GatedJob(Job job, Path record, Path checkpoints, Configuration more, long perSubtask)
      throws Exception {
    this.perSubtask = perSubtask;
    State state = new State();
    state.behindGates.add(new ConcurrentLinkedQueue<>());
    state.behindGates.add(new ConcurrentLinkedQueue<>());
    ALL.put(id, state);

    Configuration config = new Configuration();
    config.setString("bluegreen.gate.injection.enabled", "true");
    config.setString("bluegreen.active-deployment-type", job.color().name());
    config.setString("bluegreen.handover.epoch", Long.toString(job.createdFor()));
    config.setString("bluegreen.handover.directory", record.toString());
    config.setString("bluegreen.gate.report-interval", "50 ms");
    config.setString("execution.checkpointing.interval", "200 ms");
    config.setString("execution.checkpointing.dir", checkpoints.toUri().toString());
    config.setString("state.checkpoints.dir", checkpoints.toUri().toString());
    config.setString("restart-strategy.type", "fixed-delay");
    config.setString("restart-strategy.fixed-delay.attempts", "10");
    config.setString("restart-strategy.fixed-delay.delay", "10 ms");
    config.setString("rest.bind-port", "0");
    config.addAll(more);
    GateOptions options = GateOptions.from(config);

    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, config);
    DataStream<Long> numbers =
        env.fromSource(
                new NumberSequenceSource(0, PARALLELISM * perSubtask - 1),
                WatermarkStrategy.noWatermarks(),
                "numbers")
            .map(new Slowly(id, perSubtask))
            .assignTimestampsAndWatermarks(
                WatermarkStrategy.<Long>forMonotonousTimestamps()
                    .withTimestampAssigner((number, before) -> number));
    for (int gate = 0; gate < 2; gate++) {
      numbers
          .transform(
              "Gate " + gate,
              Types.LONG,
              new GateOperatorFactory<>(
                  options,
                  GatePlace.of(id, gate, 2, "sink-" + gate),
                  LongSerializer.INSTANCE,
                  Timestamps.own()))
          .uid("gate-" + gate)
          .map(new Behind(id, gate))
          .sinkTo(new DiscardingSink<>());
    }
    env.getConfig().setAutoWatermarkInterval(10);
    client = env.executeAsync("gated");
  }

  /** Paces the source; fails once when it is asked to. */
  private static final class Slowly implements MapFunction<Long, Long> {
    private static final long serialVersionUID = 1L;
    private final String id;
    private final long perSubtask;

    Slowly(String id, long perSubtask) {
      this.id = id;
      this.perSubtask = perSubtask;
    }

    @Override
    public Long map(Long number) throws Exception {
      State state = ALL.get(id);
      state.read.incrementAndGet();
      if (state.fails.compareAndSet(true, false)) {
        throw new IllegalStateException("this task was told to fail");
      }
      if (state.pauseMs > 0) {
        Thread.sleep(state.pauseMs);
      }
      return number % perSubtask;
    }
  }

  /** Notes what has passed a gate. */
  private static final class Behind implements MapFunction<Long, Long> {
    private static final long serialVersionUID = 1L;
    private final String id;
    private final int gate;

    Behind(String id, int gate) {
      this.id = id;
      this.gate = gate;
    }

    @Override
    public Long map(Long number) {
      ALL.get(id).behindGates.get(gate).add(number);
      return number;
    }
  }

  /** What has passed this gate so far, in any order. */
  List<Long> behind(int gate) {
    return new ArrayList<>(ALL.get(id).behindGates.get(gate));
  }

  long highestBehind(int gate) {
    return behind(gate).stream().mapToLong(it -> it).max().orElse(-1);
  }

  long perSubtask() {
    return perSubtask;
  }

  long read() {
    return ALL.get(id).read.get();
  }

  /** Lets one task fail. */
  void failATask() {
    ALL.get(id).fails.set(true);
  }

  void pace(long pauseMs) {
    ALL.get(id).pauseMs = pauseMs;
  }

  JobClient client() {
    return client;
  }

  static void await(String what, BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + 120_000_000_000L;
    while (System.nanoTime() < deadline) {
      if (condition.getAsBoolean()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("not seen: " + what);
  }

  @Override
  public void close() {
    try {
      client.cancel().handle((done, failure) -> done).get(120, TimeUnit.SECONDS);
      // A cancelled or failed job ends with an exception.
      client.getJobExecutionResult().handle((done, failure) -> done).get(120, TimeUnit.SECONDS);
    } catch (IllegalStateException e) {
      // The cluster is gone with the job.
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the job does not end", e);
    }
  }
}
