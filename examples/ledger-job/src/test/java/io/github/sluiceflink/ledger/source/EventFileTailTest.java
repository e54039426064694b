package io.github.sluiceflink.ledger.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.ledger.LedgerEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that is being written to, read line by line. */
class EventFileTailTest {
  @TempDir Path directory;

  @Test
  void aHalfWrittenLineIsNotReadUntilItIsComplete() throws IOException {
    write("0,alice,10,1000\n1,bob,2");
    try (EventFileTail tail = new EventFileTail(directory, EventFileSplit.atStart(0))) {
      assertEquals("alice", tail.next().account);
      assertNull(tail.next());
      assertEquals(new EventFileSplit(0, 16, 0), tail.position());

      write("0,2000");
      assertNull(tail.next());

      write("\n");
      LedgerEvent event = tail.next();
      assertEquals("bob", event.account);
      assertEquals(20, event.amount);
      assertEquals(2000, event.eventTime);
      assertEquals(new EventFileSplit(0, 30, 1), tail.position());
    }
  }

  @Test
  void readingGoesOnFromAnyPositionExactly() throws IOException {
    // More than one read of 64 KiB, so that lines lie across its borders.
    StringBuilder lines = new StringBuilder();
    for (int sequence = 0; sequence < 10_000; sequence++) {
      lines
          .append(sequence)
          .append(",account-")
          .append(sequence % 7)
          .append(",1,")
          .append(sequence);
      lines.append('\n');
    }
    write(lines.toString());
    List<EventFileSplit> positions = new ArrayList<>();
    try (EventFileTail tail = new EventFileTail(directory, EventFileSplit.atStart(0))) {
      for (int sequence = 0; sequence < 10_000; sequence++) {
        positions.add(tail.position());
        assertEquals(sequence, tail.next().sequence);
      }
      assertNull(tail.next());
    }
    for (int sequence = 0; sequence < 10_000; sequence += 997) {
      try (EventFileTail tail = new EventFileTail(directory, positions.get(sequence))) {
        assertEquals(sequence, tail.next().sequence);
      }
    }
  }

  @Test
  void aFileThatIsNotThereYetIsWaitedFor() throws IOException {
    try (EventFileTail tail = new EventFileTail(directory, EventFileSplit.atStart(0))) {
      assertNull(tail.next());
      write("7,alice,10,1000\n");
      assertEquals(7, tail.next().sequence);
    }
  }

  @Test
  void aGapALineThatIsNoEventAndAFileThatShrankAreReported() throws IOException {
    write("0,alice,10,1000\n2,alice,10,1000\n");
    String gap = failure(EventFileSplit.atStart(0));
    assertTrue(gap.contains("sequence number 2, after 0 must come 1"), gap);

    Files.writeString(directory.resolve("split-0.log"), "0,alice,ten,1000\n");
    String noNumber = failure(EventFileSplit.atStart(0));
    assertTrue(noNumber.contains("the field amount is not a whole number"), noNumber);

    String shrank = failure(new EventFileSplit(0, 500, 3));
    assertTrue(shrank.contains("an event file may only grow"), shrank);
  }

  private String failure(EventFileSplit from) throws IOException {
    try (EventFileTail tail = new EventFileTail(directory, from)) {
      return assertThrows(
              IOException.class,
              () -> {
                while (tail.next() != null) {
                  // On to the line in question.
                }
              })
          .getMessage();
    }
  }

  private void write(String text) throws IOException {
    Files.writeString(
        directory.resolve("split-0.log"),
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}
