package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.handover.Job;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** One of the two jobs of a handover, in a cluster of its own. */
final class PacedJob {

  private static final long TIMEOUT_MS = 120_000;

  private final JobClient client;

  private PacedJob(JobClient client) {
    this.client = client;
  }

  /**
   * Submits it.
   *
   * @param place where the handover record is, as the configuration says it
   */
  static PacedJob start(Job job, int parallelism, Pace pace, Configuration place) throws Exception {
    Configuration configuration = new Configuration(place);
    configuration.set(GateOptions.COLOR, job.color().name());
    configuration.set(GateOptions.HANDOVER_EPOCH, job.createdFor());
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(parallelism, configuration);
    environment.enableCheckpointing(1000);
    environment.getConfig().setAutoWatermarkInterval(50);
    DataStream<Long> stream =
        environment.fromSource(
            new DataGeneratorSource<>(pace, parallelism * Pace.PARTITION, Types.LONG),
            WatermarkStrategy.<Long>forMonotonousTimestamps()
                .withTimestampAssigner((record, none) -> pace.millisecond(record)),
            "source");
    Gated.stream(stream, configuration).sinkTo(new SeenSink(job.color())).name("sink");
    return new PacedJob(Gated.submit(environment));
  }

  /** Ends it, however it stands. */
  void close() throws Exception {
    client.cancel().get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    // It may still write until it has ended, which it does with an exception.
    client
        .getJobExecutionResult()
        .handle((result, cancelled) -> true)
        .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
  }
}
