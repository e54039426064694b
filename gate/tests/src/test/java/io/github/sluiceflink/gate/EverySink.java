package io.github.sluiceflink.gate;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.operators.SlotSharingGroup;
import org.apache.flink.api.common.serialization.SimpleStringEncoder;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.connector.file.sink.compactor.ConcatFileCompactor;
import org.apache.flink.connector.file.sink.compactor.FileCompactStrategy;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSink;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** A program with every kind of sink, put on its stream in every way that a gate has to keep. */
final class EverySink {

  static final int NUMBERS = 500;

  /** Sinks that tell {@link Written} of every line; the others write files. */
  static final List<String> TELLING =
      List.of("legacy", "own group", "staged", "alone", "head", "broadcast");

  private EverySink() {}

  /** Adds the program to an environment; its files go below this directory. */
  static void build(StreamExecutionEnvironment environment, String run, Path directory) {
    OutputTag<Long> odd = new OutputTag<>("odd", Types.LONG);
    SingleOutputStreamOperator<String> lines =
        environment
            .fromSource(
                new DataGeneratorSource<>(number -> number, NUMBERS, Types.LONG),
                WatermarkStrategy.<Long>forBoundedOutOfOrderness(Duration.ofMillis(5))
                    .withTimestampAssigner((number, before) -> number),
                "numbers")
            .process(new Aside(odd))
            .name("lines");
    DataStream<String> odds =
        lines.getSideOutput(odd).map(number -> "odd " + number).returns(Types.STRING).name("odds");

    LegacySinks.counting(lines.keyBy(line -> line), run + "legacy")
        .name("legacy")
        .setParallelism(3);
    DataStreamSink<String> group =
        lines.keyBy(line -> line).sinkTo(new CountingSink(run + "own group")).name("own group");
    group.slotSharingGroup(SlotSharingGroup.newBuilder("apart").build()).setMaxParallelism(77);
    lines
        .getSideOutput(odd)
        .sinkTo(
            FileSink.forRowFormat(
                    new org.apache.flink.core.fs.Path(directory.resolve("files").toUri()),
                    new SimpleStringEncoder<Long>())
                .build())
        .name("files");
    lines
        .union(lines.rebalance(), odds)
        .sinkTo(
            files(directory.resolve("compacted"))
                .enableCompact(
                    FileCompactStrategy.Builder.newBuilder()
                        .enableCompactionOnCheckpoint(1)
                        .build(),
                    new ConcatFileCompactor())
                .build())
        .name("compacting")
        .uid("compacting");
    lines.sinkTo(new StagedSink(run + "staged")).name("staged").uid("staged");
    lines.sinkTo(new CountingSink(run + "alone")).name("alone").disableChaining();
    DataStreamSink<String> head = lines.sinkTo(new CountingSink(run + "head")).name("head");
    ((org.apache.flink.streaming.api.transformations.PhysicalTransformation<?>)
            head.getTransformation())
        .setChainingStrategy(ChainingStrategy.HEAD);
    lines.broadcast().sinkTo(new CountingSink(run + "broadcast")).name("broadcast");
  }

  private static FileSink.DefaultRowFormatBuilder<String> files(Path directory) {
    return FileSink.forRowFormat(
        new org.apache.flink.core.fs.Path(directory.toUri()), new SimpleStringEncoder<String>());
  }

  /** Sends every number on as a line, and the odd ones aside as they are. */
  private static final class Aside extends ProcessFunction<Long, String> {
    private final OutputTag<Long> odd;

    Aside(OutputTag<Long> odd) {
      this.odd = odd;
    }

    @Override
    public void processElement(Long number, Context context, Collector<String> lines) {
      if (number % 2 == 1) {
        context.output(odd, number);
      }
      lines.collect("line " + number);
    }
  }
}
