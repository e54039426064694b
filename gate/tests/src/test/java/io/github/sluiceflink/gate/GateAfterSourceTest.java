package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Gates after the sources: where they are put, where they would do harm, and that they pass all.
 */
class GateAfterSourceTest {

  @TempDir Path directory;

  @Test
  void a_gate_stands_after_every_source_and_the_ways_that_lead_from_it_are_as_they_were()
      throws Exception {
    Gated.stable(directory.resolve("record"));
    StreamExecutionEnvironment environment = environment(true);
    build(environment);
    assertEquals(
        List.of(
            "HASH+HASH => [by line: Writer] x2",
            "[Source: more -> gate after Source: more -> more lines] x2",
            "[Source: numbers -> gate after Source: numbers -> lines -> all: Writer] x2"),
        Chains.of(environment.getStreamGraph(false)));

    environment.execute();

    List<String> lines =
        LongStream.range(0, 100)
            .mapToObj(number -> "line " + number)
            .sorted()
            .collect(Collectors.toList());
    assertEquals(
        lines, Written.to("after source all").stream().sorted().collect(Collectors.toList()));
  }

  @Test
  void every_other_operator_keeps_its_id() {
    StreamExecutionEnvironment gated = environment(true);
    StreamExecutionEnvironment plain = environment(false);
    build(gated);
    build(plain);
    Map<String, String> ids = Chains.ids(gated.getStreamGraph());
    ids.keySet().removeIf(name -> name.startsWith("gate after "));
    assertEquals(Chains.ids(plain.getStreamGraph()), ids);
  }

  @Test
  void what_puts_records_together_behind_a_source_is_named_in_the_refusal() {
    StreamExecutionEnvironment environment = environment(true);
    DataStream<Long> numbers = environment.fromSequence(1, 3);
    numbers.keyBy(number -> number).map(number -> number).name("keyed").sinkTo(sink());
    numbers.process(new Remembers()).name("remembering").sinkTo(sink());
    numbers.connect(numbers).map(new Either()).name("two inputs").sinkTo(sink());
    numbers
        .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps())
        .name("timed")
        .sinkTo(sink());
    assertEquals(
        "Gates cannot stand after the sources of this job, because what follows has to look at each"
            + " record alone: \"keyed\" is keyed; \"remembering\" has state of its own; \"timed\""
            + " (TimestampsAndWatermarksOperator) may have state or timers; \"two inputs\" has several"
            + " inputs. Set bluegreen.gate.injection.position to BEFORE_SINK.",
        assertThrows(RuntimeException.class, environment::getStreamGraph).getMessage());
  }

  private static org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink<Long> sink() {
    return new org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink<>();
  }

  private static void build(StreamExecutionEnvironment environment) {
    DataStream<String> lines =
        source(environment, "numbers")
            .map(number -> "line " + number)
            .returns(Types.STRING)
            .name("lines");
    lines.sinkTo(new CountingSink("after source all")).name("all");
    DataStream<String> more =
        source(environment, "more")
            .map(number -> "more " + number)
            .returns(Types.STRING)
            .name("more lines");
    lines
        .union(more)
        .keyBy(line -> line)
        .sinkTo(new CountingSink("after source keyed"))
        .name("by line");
  }

  private static DataStream<Long> source(StreamExecutionEnvironment environment, String name) {
    return environment.fromSource(
        new DataGeneratorSource<>(number -> number, 100, Types.LONG),
        WatermarkStrategy.<Long>forBoundedOutOfOrderness(Duration.ofMillis(5))
            .withTimestampAssigner((number, before) -> number),
        name);
  }

  private StreamExecutionEnvironment environment(boolean gated) {
    Configuration configuration = Gated.configuration(directory.resolve("record"));
    configuration.setString("bluegreen.gate.injection.enabled", Boolean.toString(gated));
    configuration.setString("bluegreen.gate.injection.position", "AFTER_SOURCE");
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }

  private static final class Either
      implements org.apache.flink.streaming.api.functions.co.CoMapFunction<Long, Long, Long> {
    @Override
    public Long map1(Long number) {
      return number;
    }

    @Override
    public Long map2(Long number) {
      return number;
    }
  }

  /** Keeps something in a checkpoint though its stream is not keyed. */
  private static final class Remembers extends ProcessFunction<Long, Long>
      implements CheckpointedFunction {
    @Override
    public void processElement(Long number, Context context, Collector<Long> out) {
      out.collect(number);
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) {}

    @Override
    public void initializeState(FunctionInitializationContext context) {}
  }
}
