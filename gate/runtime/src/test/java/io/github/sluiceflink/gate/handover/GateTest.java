package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GateTest {

  private static final Orders STABLE = Orders.of(1, 2, Told.outgoing(Phase.stable()));

  /** Counts what comes out. */
  private static class Output implements GateOutput<String> {
    long emitted;
    long dropped;
    final List<AtBarrier> barriers = new ArrayList<>();

    @Override
    public void emit(String record) {
      emitted++;
    }

    @Override
    public void drop(String record) {
      dropped++;
    }

    @Override
    public void answer(long attempt, Answer answer) {
      throw new AssertionError("nobody asked");
    }

    @Override
    public void atBarrier(AtBarrier barrier) {
      barriers.add(barrier);
    }
  }

  @Test
  void nothing_is_allocated_for_records_that_pass_or_are_dropped() {
    Output output = new Output();
    Gate<String> passing = Gate.start(Rules.DEFAULT, GateState.empty(), output);
    passing.onTold(STABLE);
    Gate<String> draining = Gate.start(Rules.DEFAULT, GateState.empty(), output);
    draining.onTold(Orders.of(1, 2, Told.outgoing(Phase.commit(500))));
    Gate<String> waiting = Gate.start(Rules.DEFAULT, GateState.empty(), output);
    waiting.onTold(Orders.of(1, 2, Told.incoming(Phase.standby(1_000))));

    int records = 100_000;
    long allocated = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      for (int time = 0; time < records; time++) {
        passing.onRecord("record", time);
        draining.onRecord("record", time % 1_000);
        waiting.onRecord("record", time % 1_000);
        passing.onWatermark(time - 1);
      }
      long after = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      allocated = Math.min(allocated, after - before);
    }
    assertEquals(3 * 3 * records, output.emitted + output.dropped);
    assertTrue(allocated < records, allocated + " bytes for " + records + " records");
  }

  @Test
  void a_record_that_flink_stamped_with_the_highest_number_has_no_timestamp() {
    Output output = new Output();
    Gate<String> gate = Gate.start(Rules.DEFAULT, GateState.empty(), output);
    gate.onTold(STABLE);
    gate.onRecord("result of a global window", Long.MAX_VALUE);

    assertEquals(1, output.emitted);
    assertEquals(Times.NO_TIMESTAMP, gate.emitted());
  }

  @Test
  void a_gate_goes_on_from_its_state_as_if_it_had_never_stopped() {
    Output output = new Output();
    Gate<String> gate = Gate.start(Rules.DEFAULT, GateState.empty(), output);
    Orders waiting = Orders.of(1, 2, Told.incoming(Phase.standby(50)));
    gate.onTold(waiting);
    assertEquals(Optional.of(waiting), gate.orders());
    gate.onWatermark(40);
    gate.onRecord("dropped", 45);
    gate.onRecord("b", 60);
    gate.onRecord("a", 55);
    gate.onBarrier(7);
    assertEquals(List.of(AtBarrier.of(2, 7, 40, 55)), output.barriers);

    Gate<String> restored = Gate.start(Rules.DEFAULT, gate.state(), output);
    assertEquals(gate.state(), restored.state());
    assertEquals(Optional.empty(), restored.orders());
    restored.onTold(Orders.of(1, 3, Told.incoming(Phase.commit(56))));
    assertEquals(1, output.emitted, "from the cut on: b");
    assertEquals(60, restored.emitted());
    assertEquals(55, restored.dropped());
  }

  @Test
  void with_the_same_parallelism_every_subtask_keeps_its_own() {
    List<GateState<String>> states = List.of(state(50, 10, "a", "b"), state(20, 30, "c"));
    assertEquals(states, GateState.restore(states, 2));
  }

  @Test
  void with_another_parallelism_no_kept_record_is_lost_and_nobody_knows_less() {
    List<GateState<String>> states =
        List.of(state(50, 10, "a", "b"), state(20, 30, "c"), state(5, 20, "d", "e"));
    for (int parallelism : new int[] {1, 2, 4, 7}) {
      List<GateState<String>> rescaled = GateState.restore(states, parallelism);
      assertEquals(parallelism, rescaled.size());
      for (GateState<String> state : rescaled) {
        assertEquals(50, state.emitted());
        assertEquals(51, state.dropped());
        assertEquals(10, state.watermark());
      }
      assertEquals(
          List.of("a", "b", "c", "d", "e"),
          rescaled.stream()
              .flatMap(it -> it.kept().stream())
              .map(Kept::record)
              .sorted()
              .collect(Collectors.toList()));
      int most = rescaled.stream().mapToInt(it -> it.kept().size()).max().orElseThrow();
      assertEquals((5 + parallelism - 1) / parallelism, most, "dealt out in turn");
    }
  }

  @Test
  void a_job_without_state_starts_with_none() {
    assertEquals(List.of(GateState.empty(), GateState.empty()), GateState.restore(List.of(), 2));
  }

  private static GateState<String> state(long emitted, long watermark, String... kept) {
    List<Kept<String>> records = new ArrayList<>();
    for (String record : kept) {
      records.add(Kept.of(record, 60, watermark));
    }
    return GateState.of(records, emitted, emitted + 1, watermark);
  }

  static List<Object> what_is_sent() {
    Subtask subtask = Subtask.of(0, 3);
    return List.of(
        Orders.of(1, 2, Told.nothing()),
        Orders.of(1, 2, Told.stranger()),
        STABLE,
        Orders.of(1, 2, Told.outgoing(Phase.prepare(4))),
        Orders.of(1, 2, Told.outgoing(Phase.prepare(4, 5))),
        Orders.of(1, 2, Told.outgoing(Phase.abort())),
        Orders.of(1, 2, Told.incoming(Phase.standby(4))),
        Orders.of(1, 2, Told.incoming(Phase.commit(5))),
        Orders.of(1, 2, Told.incoming(Phase.sealed(5))),
        AtBarrier.of(2, 7, 40, AtBarrier.NOTHING_KEPT),
        Answer.of(1, 45, 40),
        Finished.of(45, 3),
        SubtaskReport.of(1, 45, 3, 40, true, Figures.NONE),
        Rules.DEFAULT,
        subtask);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("what_is_sent")
  void what_coordinator_and_subtasks_send_each_other_arrives_as_it_was(Object sent)
      throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(sent);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertEquals(sent, in.readObject());
    }
  }
}
