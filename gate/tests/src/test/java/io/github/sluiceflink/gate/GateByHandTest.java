package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.flink.GateOperatorFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gates that a program places itself. */
class GateByHandTest {

  @TempDir Path directory;

  @Test
  void a_programs_own_gates_are_numbered_and_no_other_is_put_in() {
    StreamExecutionEnvironment environment = environment(true);
    Gate.apply(environment.fromData("a")).sinkTo(new CountingSink("unused")).name("one");
    Gate.apply(environment.fromData("b"))
        .map(line -> line)
        .sinkTo(new CountingSink("unused"))
        .name("other");
    StreamGraph graph = environment.getStreamGraph();
    List<GateOperatorFactory<?>> gates =
        graph.getStreamNodes().stream()
            .map(node -> node.getOperatorFactory())
            .filter(GateOperatorFactory.class::isInstance)
            .map(factory -> (GateOperatorFactory<?>) factory)
            .collect(Collectors.toList());
    assertEquals(
        List.of(0, 1),
        gates.stream().map(gate -> gate.place().gate()).sorted().collect(Collectors.toList()));
    assertTrue(gates.stream().allMatch(gate -> gate.place().gates() == 2));
    assertEquals(1, gates.stream().map(gate -> gate.place().injection()).distinct().count());
  }

  @Test
  void where_gates_are_not_enabled_it_is_the_stream_itself() {
    DataStream<String> lines = environment(false).fromData("a");
    assertSame(lines, Gate.apply(lines));
  }

  @Test
  void a_sink_that_is_behind_none_of_them_is_refused() {
    StreamExecutionEnvironment environment = environment(true);
    DataStream<String> lines = environment.fromData("a");
    Gate.apply(lines).sinkTo(new CountingSink("unused")).name("gated");
    lines.sinkTo(new CountingSink("unused")).name("around");
    assertEquals(
        "The program has placed its gates itself, but records get to \"around\" without passing one;"
            + " apply Gate to what these are put on, too, or to nothing, so that every sink gets a gate"
            + " by itself.",
        assertThrows(RuntimeException.class, environment::getStreamGraph).getMessage());
  }

  private StreamExecutionEnvironment environment(boolean enabled) {
    Configuration configuration = Gated.configuration(directory);
    configuration.setString("bluegreen.gate.injection.enabled", Boolean.toString(enabled));
    return StreamExecutionEnvironment.createLocalEnvironment(configuration);
  }
}
