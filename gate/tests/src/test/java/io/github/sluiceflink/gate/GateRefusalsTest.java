package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A job that cannot have gates that do what they are for is not submitted, and the reason is said.
 */
class GateRefusalsTest {

  @TempDir Path directory;

  @Test
  void a_batch_job() {
    StreamExecutionEnvironment job = job();
    job.setRuntimeMode(RuntimeExecutionMode.BATCH);
    assertRefused(
        "A batch job cannot have gates: it has no checkpoints, and writes when it ends; run it in"
            + " streaming mode (execution.runtime-mode), or set bluegreen.gate.injection.enabled to"
            + " false.",
        job);
  }

  @Test
  void a_job_without_checkpoints() {
    assertRefused(
        "The job makes no checkpoints, and without them no record can be handed over exactly; set"
            + " execution.checkpointing.interval, or bluegreen.gate.injection.enabled to false.",
        job("execution.checkpointing.interval", null));
  }

  @Test
  void a_job_that_nothing_tells_its_colour_its_epoch_or_its_record() {
    assertRefused(
        "bluegreen.active-deployment-type is not set; a gated job needs it, and the operator writes"
            + " it.",
        job("bluegreen.active-deployment-type", null));
    assertRefused(
        "bluegreen.handover.epoch is not set; a gated job needs it, and the operator writes it.",
        job("bluegreen.handover.epoch", null));
    assertRefused(
        "bluegreen.configmap.name is not set; a gated job needs it to find its handover record, and the"
            + " operator writes it (for local runs there is bluegreen.handover.directory).",
        job("bluegreen.handover.directory", null));
  }

  @Test
  void a_key_with_a_value_that_it_cannot_have() {
    String refusal = refusal(job("bluegreen.gate.strategy", "HOURLY"));
    assertTrue(refusal.contains("bluegreen.gate.strategy"), refusal);
    assertTrue(refusal.contains("WATERMARK") && refusal.contains("SAVEPOINT"), refusal);
    refusal = refusal(job("bluegreen.gate.injection.position", "IN_THE_MIDDLE"));
    assertTrue(refusal.contains("bluegreen.gate.injection.position"), refusal);
    assertTrue(refusal.contains("BEFORE_SINK") && refusal.contains("AFTER_SOURCE"), refusal);
    refusal = refusal(job("bluegreen.gate.injection.enabled", "perhaps"));
    assertTrue(refusal.contains("bluegreen.gate.injection.enabled"), refusal);
  }

  @Test
  void an_end_that_may_write_though_it_is_no_sink() {
    StreamExecutionEnvironment job = environment();
    DataStream<String> lines = job.fromData("a").map(line -> line).name("may write");
    lines.sinkTo(new DiscardingSink<>()).name("end");
    lines.filter(line -> false).name("no sink");
    assertRefused(
        "The job ends in \"no sink\", \"end: Writer\", which may write though it is no sink of"
            + " Flink's, or hides an operator before it that writes; name the operators before which"
            + " gates belong, by uid or name, in bluegreen.gate.injection.operators (the end itself if"
            + " nothing before it writes).",
        job);
  }

  @Test
  void an_operator_that_is_named_but_not_there_or_not_where_a_gate_can_be() {
    assertRefused(
        "bluegreen.gate.injection.operators names \"gone\", but no operator of this job has that uid or"
            + " name; it has \"Source: Collection Source\", \"sink: Writer\".",
        job("bluegreen.gate.injection.operators", "gone"));
    assertRefused(
        "bluegreen.gate.injection.operators names \"Source: Collection Source\", which is a source: no"
            + " gate can stand before it; name the operator that writes.",
        job("bluegreen.gate.injection.operators", "Source: Collection Source"));
    StreamExecutionEnvironment staged =
        environment("bluegreen.gate.injection.operators", "staged: Committer");
    staged.fromData("a").sinkTo(new StagedSink("unused")).name("staged").uid("staged");
    assertRefused(
        "bluegreen.gate.injection.operators names \"staged: Committer\", which is inside of a sink,"
            + " where a gate would judge what is to be committed instead of records; leave it out, the"
            + " sink gets a gate of its own.",
        staged);
  }

  @Test
  void a_sink_that_only_some_records_reach_through_the_operators_that_are_named() {
    StreamExecutionEnvironment job = environment("bluegreen.gate.injection.operators", "named");
    DataStream<String> lines = job.fromData("a");
    lines
        .union(lines.map(line -> line).name("named"))
        .map(line -> line)
        .sinkTo(new CountingSink("unused"))
        .name("both");
    assertRefused(
        "The sink \"both\" gets records that went through the gate before an operator of"
            + " bluegreen.gate.injection.operators, and others that did not; name operators there that"
            + " all of its records go through, or none of those before it.",
        job);
  }

  @Test
  void a_job_for_a_session_cluster_of_flink_2_whose_jobmanager_may_not_have_the_agent() {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString("execution.target", "remote");
    StreamExecutionEnvironment job = new StreamExecutionEnvironment(configuration);
    job.fromData("a").sinkTo(new CountingSink("unused")).name("sink");
    if (EnvironmentInformation.getVersion().startsWith("1.")) {
      assertTrue(
          Chains.with(job.getStreamGraph(), "gate").contains("gate before sink"),
          "Flink 1 makes the ids here, and the classes travel with the job");
    } else {
      assertRefused(
          "bluegreen.gate.injection.enabled has no effect on a job that is submitted to a session"
              + " cluster (remote) of Flink 2; run it in application mode.",
          job);
    }
  }

  private StreamExecutionEnvironment job() {
    return job("parallelism.default", "1");
  }

  private StreamExecutionEnvironment job(String key, String value) {
    StreamExecutionEnvironment job = environment(key, value);
    job.fromData("a").sinkTo(new CountingSink("unused")).name("sink");
    return job;
  }

  private StreamExecutionEnvironment environment() {
    return environment("parallelism.default", "1");
  }

  private StreamExecutionEnvironment environment(String key, String value) {
    Configuration configuration = Gated.configuration(directory);
    if (value == null) {
      configuration.removeKey(key);
    } else {
      configuration.setString(key, value);
    }
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }

  private static String refusal(StreamExecutionEnvironment job) {
    return assertThrows(RuntimeException.class, job::getStreamGraph).getMessage();
  }

  private static void assertRefused(String sentence, StreamExecutionEnvironment job) {
    assertEquals(sentence, refusal(job));
  }
}
