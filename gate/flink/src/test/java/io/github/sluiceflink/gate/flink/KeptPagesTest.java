package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Kept;
import io.github.sluiceflink.gate.handover.KeptRecords;
import io.github.sluiceflink.gate.handover.Verdict;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a gate keeps, as pages. */
@Timeout(300)
final class KeptPagesTest {

  private static final ClassLoader CLASSES = KeptPagesTest.class.getClassLoader();

  /** What the serializer's snapshot takes, and more. */
  private static final int HEAD = 200;

  private final GateCounts counts = new GateCounts();
  private final Out out = new Out();

  private static final class Out implements KeptPages.Output<String> {
    final List<StreamRecord<String>> emitted = new ArrayList<>();
    int dropped;

    @Override
    public void emit(StreamRecord<String> record) {
      emitted.add(record);
    }

    @Override
    public void drop() {
      dropped++;
    }
  }

  private KeptPages<String> pages(TypeSerializer<String> serializer) {
    return new KeptPages<>(serializer, counts, out);
  }

  private KeptPages<String> restored(List<byte[]> checkpoint) throws Exception {
    counts.kept = 0;
    counts.keptBytes = 0;
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    pages.restore(checkpoint, CLASSES);
    return pages;
  }

  private static void add(KeptPages<String> pages, String value, long timestamp) {
    pages.add(new StreamRecord<>(value, timestamp), timestamp, timestamp - 5);
  }

  private static List<String> values(KeptPages<String> pages) {
    return pages.all().stream().map(it -> it.record().getValue()).collect(Collectors.toList());
  }

  private static String large(char letter, int length) {
    return Character.toString(letter).repeat(length);
  }

  @Test
  void aGateThatKeepsThreeRecordsIsSmall() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    add(pages, "one", 1);
    add(pages, "two", 2);
    add(pages, "three", 3);
    List<byte[]> checkpoint = pages.checkpoint();
    assertEquals(1, checkpoint.size());
    assertTrue(checkpoint.get(0).length < HEAD + 3 * 40, checkpoint.get(0).length + " bytes");
    // As it was counted ever since: the value, which has its length before it, and four longs.
    assertEquals(4 + 4 + 6 + 3 * 32, counts.keptBytes);
  }

  @Test
  void aGateThatKeepsNothingHasNoPage() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    assertEquals(List.of(), pages.checkpoint());
    add(pages, "one", 1);
    pages.settle((timestamp, arrival) -> Verdict.DROP);
    assertEquals(List.of(), pages.checkpoint());
    assertEquals(AtBarrier.NOTHING_KEPT, pages.lowest());
  }

  @Test
  void eachPageCanBeReadAloneAndIsNoLargerThanItMayBe() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    for (int i = 0; i < 10_000; i++) {
      add(pages, "record " + i, i);
    }
    List<byte[]> checkpoint = pages.checkpoint();
    assertTrue(checkpoint.size() > 5, checkpoint.size() + " pages");
    int next = 0;
    for (byte[] page : checkpoint) {
      assertTrue(page.length <= KeptPages.PAGE_BYTES + HEAD, page.length + " bytes");
      for (String value : values(restored(List.of(page)))) {
        assertEquals("record " + next++, value);
      }
    }
    assertEquals(10_000, next);
  }

  @Test
  void aRecordThatIsLargerThanAPageHasOneOfItsOwn() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    String large = large('l', 10 * KeptPages.PAGE_BYTES);
    add(pages, "before", 1);
    add(pages, large, 2);
    add(pages, "after", 3);
    add(pages, large, 4);
    add(pages, large, 5);

    List<List<String>> each = new ArrayList<>();
    for (byte[] page : pages.checkpoint()) {
      each.add(values(restored(List.of(page))));
    }

    assertEquals(
        List.of(
            List.of("before"), List.of(large), List.of("after"), List.of(large), List.of(large)),
        each);
  }

  @Test
  void aPageThatIsFullToTheLastByteIsOnePage() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    // 29 bytes for its times and its length, and 3 for the length of the string.
    String full = large('f', KeptPages.PAGE_BYTES - 29 - 3);
    add(pages, full, 1);
    assertEquals(List.of(full), values(pages));
    assertEquals(1, pages.checkpoint().size());
    add(pages, "next", 2);
    assertEquals(2, pages.checkpoint().size());
    assertEquals(List.of(full, "next"), values(restored(pages.checkpoint())));
  }

  @Test
  void whatIsInACheckpointDoesNotChangeAnyMore() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    for (int i = 0; i < 3_000; i++) {
      add(pages, "record " + i, i);
    }
    List<byte[]> checkpoint = pages.checkpoint();
    List<byte[]> copy = checkpoint.stream().map(byte[]::clone).collect(Collectors.toList());

    for (int i = 3_000; i < 4_000; i++) {
      add(pages, "record " + i, i);
    }
    pages.settle((timestamp, arrival) -> timestamp % 2 == 0 ? Verdict.EMIT : Verdict.KEEP);

    for (int page = 0; page < copy.size(); page++) {
      assertArrayEquals(copy.get(page), checkpoint.get(page));
    }
    assertEquals(3_000, restored(checkpoint).all().size());
  }

  @Test
  void aPageOfWhichAllIsKeptIsNotCopied() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    for (int i = 0; i < 5_000; i++) {
      add(pages, "record " + i, i);
    }
    List<byte[]> before = pages.checkpoint();
    pages.settle((timestamp, arrival) -> timestamp == 0 ? Verdict.EMIT : Verdict.KEEP);
    List<byte[]> after = pages.checkpoint();
    assertEquals(before.size(), after.size());
    for (int page = 1; page < before.size() - 1; page++) {
      assertTrue(before.get(page) == after.get(page), "page " + page + " is another one");
    }
  }

  @Test
  void whatIsLeftOfManyPagesMovesTogether() throws Exception {
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    for (int i = 0; i < 20_000; i++) {
      add(pages, "record " + i, i);
    }
    assertTrue(pages.checkpoint().size() > 10);
    pages.settle((timestamp, arrival) -> timestamp % 100 == 0 ? Verdict.KEEP : Verdict.DROP);
    assertEquals(200, pages.all().size());
    assertEquals(1, pages.checkpoint().size());
  }

  /** Half of a value has been written when it breaks. */
  @ParameterizedTest
  @ValueSource(strings = {BreakingSerializer.BREAKS, BreakingSerializer.BREAKS_BADLY})
  void aRecordThatCannotBeWrittenIsTakenBack(String breaks) throws Exception {
    KeptPages<String> pages = pages(BreakingSerializer.INSTANCE);
    add(pages, "before", 10);
    long bytes = counts.keptBytes;

    RuntimeException failure = assertThrows(RuntimeException.class, () -> add(pages, breaks, 5));

    assertEquals(breaks.equals(BreakingSerializer.BREAKS), failure instanceof UncheckedIOException);
    assertEquals(1, counts.kept);
    assertEquals(bytes, counts.keptBytes);
    assertEquals(10, pages.lowest());
    add(pages, "after", 11);
    assertEquals(List.of("before", "after"), values(pages));
  }

  /** Beside a plain list, with records of all sizes, and restarts in between. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void keepsWhatAListWouldKeep(long seed) throws Exception {
    Random random = new Random(seed);
    KeptPages<String> pages = pages(StringSerializer.INSTANCE);
    List<Kept<StreamRecord<String>>> expected = new ArrayList<>();
    for (int step = 0; step < 60; step++) {
      int records = random.nextInt(random.nextBoolean() ? 10 : 800);
      for (int i = 0; i < records; i++) {
        StreamRecord<String> record = record(random, step * 1_000 + i);
        long timestamp = record.hasTimestamp() ? record.getTimestamp() : Long.MIN_VALUE;
        pages.add(record, timestamp, step);
        expected.add(Kept.of(record, timestamp, step));
      }
      if (random.nextInt(3) == 0) {
        pages = restored(pages.checkpoint());
      }
      settle(pages, expected, verdicts(random));
      assertEquals(expected, pages.all());
      assertEquals(expected.size(), counts.kept);
      assertEquals(
          expected.stream().mapToLong(Kept::timestamp).min().orElse(AtBarrier.NOTHING_KEPT),
          pages.lowest());
      if (expected.isEmpty()) {
        assertEquals(0, counts.keptBytes);
      }
    }
  }

  private static StreamRecord<String> record(Random random, int number) {
    int length = random.nextInt(300) == 0 ? random.nextInt(200_000) : random.nextInt(200);
    String value = number + large('.', length);
    return random.nextInt(20) == 0
        ? new StreamRecord<>(value)
        : new StreamRecord<>(value, random.nextInt(1_000));
  }

  private static KeptRecords.Judging verdicts(Random random) {
    switch (random.nextInt(5)) {
      case 0:
        return (timestamp, arrival) -> Verdict.KEEP;
      case 1:
        int cut = random.nextInt(1_000);
        return (timestamp, arrival) -> timestamp < cut ? Verdict.EMIT : Verdict.KEEP;
      case 2:
        int rare = random.nextInt(50) + 2;
        return (timestamp, arrival) -> timestamp % rare == 0 ? Verdict.DROP : Verdict.KEEP;
      case 3:
        long came = random.nextInt(60);
        return (timestamp, arrival) -> arrival < came ? Verdict.DROP : Verdict.KEEP;
      default:
        return random.nextInt(3) == 0
            ? (timestamp, arrival) -> Verdict.EMIT
            : (timestamp, arrival) -> timestamp % 2 == 0 ? Verdict.EMIT : Verdict.KEEP;
    }
  }

  private void settle(
      KeptPages<String> pages,
      List<Kept<StreamRecord<String>>> expected,
      KeptRecords.Judging judging) {
    out.emitted.clear();
    out.dropped = 0;
    List<StreamRecord<String>> emitted = new ArrayList<>();
    int dropped = 0;
    for (Iterator<Kept<StreamRecord<String>>> each = expected.iterator(); each.hasNext(); ) {
      Kept<StreamRecord<String>> one = each.next();
      Verdict verdict = judging.judge(one.timestamp(), one.arrival());
      if (verdict != Verdict.KEEP) {
        each.remove();
      }
      if (verdict == Verdict.EMIT) {
        emitted.add(one.record());
      } else if (verdict == Verdict.DROP) {
        dropped++;
      }
    }
    pages.settle(judging);
    assertEquals(emitted, out.emitted);
    assertEquals(dropped, out.dropped);
  }
}
