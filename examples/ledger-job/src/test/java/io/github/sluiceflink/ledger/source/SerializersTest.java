package io.github.sluiceflink.ledger.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What stands in a savepoint comes back from it. */
class SerializersTest {
  @Test
  void aSplitComesBack() throws IOException {
    EventFileSplitSerializer serializer = new EventFileSplitSerializer();
    EventFileSplit split = new EventFileSplit(3, 1L << 40, 99);
    assertEquals(split, serializer.deserialize(1, serializer.serialize(split)));
    assertThrows(IOException.class, () -> serializer.deserialize(2, serializer.serialize(split)));
  }

  @Test
  void theEnumeratorsStateComesBack() throws IOException {
    EnumeratorStateSerializer serializer = new EnumeratorStateSerializer();
    List<EventFileSplit> waiting = List.of(EventFileSplit.atStart(1), new EventFileSplit(2, 5, 0));
    EnumeratorState state =
        serializer.deserialize(1, serializer.serialize(new EnumeratorState(4, waiting)));
    assertEquals(4, state.knownSplits());
    assertEquals(waiting, state.waiting());
  }
}
