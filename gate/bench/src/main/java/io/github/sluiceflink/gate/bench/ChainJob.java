package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * A running job: a source with watermarks, a map, perhaps a gate, and a sink that throws everything
 * away, in one chain of one subtask.
 */
final class ChainJob {

  private static final long TIMEOUT_MS = 120_000;

  private final Path directory;
  private final JobClient client;

  private ChainJob(Path directory, JobClient client) {
    this.directory = directory;
    this.client = client;
  }

  /** Starts it, and waits until its source is asked for records. */
  static ChainJob start(Gates gates, Records records) throws Exception {
    Path directory = Files.createTempDirectory("gate-bench");
    Configuration configuration = new Configuration();
    configuration.set(GateOptions.COLOR, "GREEN");
    configuration.set(GateOptions.HANDOVER_EPOCH, 2L);
    configuration.set(GateOptions.HANDOVER_DIRECTORY, directory.toString());
    configuration.set(GateOptions.KEPT_RECORDS_MAX_BYTES, MemorySize.ofMebiBytes(2000));
    try (RecordStore store = RecordPlace.directory(directory.toString()).open()) {
      store.put(0, gates.handover()).get(10, TimeUnit.SECONDS);
    }
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
    if (records.reused) {
      environment.getConfig().enableObjectReuse();
    }
    environment.enableCheckpointing(TimeUnit.HOURS.toMillis(1));
    DataStream<Object> stream =
        environment
            .fromSource(
                new DataGeneratorSource<>(records.source(), Long.MAX_VALUE, records.type()),
                WatermarkStrategy.<Object>forMonotonousTimestamps()
                    .withTimestampAssigner((record, timestamp) -> time(record)),
                "source")
            .map(record -> record)
            .returns(records.type());
    if (gates == Gates.OPERATOR) {
      stream = Gated.operator(stream, new DoingNothing.Factory<>());
    } else if (gates != Gates.NONE) {
      stream = Gated.stream(stream, configuration);
    }
    stream.sinkTo(new DiscardingSink<>());
    Turnstile.reset();
    ChainJob job = new ChainJob(directory, Gated.submit(environment));
    Turnstile.awaitWaiting(TIMEOUT_MS);
    return job;
  }

  private static long time(Object record) {
    return record instanceof Long ? (Long) record : ((Reading) record).time;
  }

  /** Lets so many records through, and waits until they are. */
  void pass(long records) throws InterruptedException {
    Turnstile.pass(records, TIMEOUT_MS);
  }

  /** Ends it. */
  void close() throws Exception {
    client.cancel().get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    // It may still write until it has ended, which it does with an exception.
    client
        .getJobExecutionResult()
        .handle((result, cancelled) -> true)
        .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // The coordinator may still write its last report.
      directory.toFile().deleteOnExit();
    }
  }
}
