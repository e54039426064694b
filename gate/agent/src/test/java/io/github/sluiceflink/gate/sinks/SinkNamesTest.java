package io.github.sluiceflink.gate.sinks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SinkNamesTest {

  @Test
  void a_name_carries_one_epoch_the_last_that_it_was_given() {
    assertEquals("orders-sink-epoch-3", SinkNames.withEpoch("orders", 3));
    assertEquals("orders-sink-epoch-12", SinkNames.withEpoch("orders-sink-epoch-3", 12));
    assertEquals("sink-epoch-12-orders", SinkNames.withEpochInFront("sink-epoch-3-orders", 12));
    assertEquals("sink-epoch-12-orders", SinkNames.withEpochInFront("orders-sink-epoch-3", 12));
    assertEquals("a-sink-epoch-3b-sink-epoch-1", SinkNames.withEpoch("a-sink-epoch-3b", 1));
  }
}
