package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Kept;
import io.github.sluiceflink.gate.handover.KeptRecords;
import io.github.sluiceflink.gate.handover.Verdict;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * The records that a subtask keeps, as bytes in pages. There is no object for each of them: moving
 * so many would cost the garbage collector many times what it costs to write them.
 */
final class KeptPages<T> implements KeptRecords<StreamRecord<T>> {

  /** How much of records a page holds. A record that is larger has a page of its own. */
  static final int PAGE_BYTES = 64 * 1024;

  /** So that a gate that keeps three records is small. */
  private static final int FIRST_BYTES = 256;

  /** What counts for a record besides its value: its times and its length, in whole longs. */
  private static final int COUNTED_BYTES = 4 * Long.BYTES;

  private final TypeSerializer<T> serializer;
  private final GateCounts counts;
  private final Output<T> output;
  private final PageHead<T> head;
  private final PageRecords records = new PageRecords();
  private ArrayDeque<KeptPage> pages = new ArrayDeque<>();

  /** The records of the page that is being written. */
  private DataOutputSerializer open = new DataOutputSerializer(FIRST_BYTES);

  private long lowest = AtBarrier.NOTHING_KEPT;

  /** Where records go that are no longer kept. */
  interface Output<T> {
    void emit(StreamRecord<T> record);

    /** The other job emits one. */
    void drop();
  }

  /**
   * Nothing is kept yet.
   *
   * @param counts get to know how many are kept, and how much that is
   */
  KeptPages(TypeSerializer<T> serializer, GateCounts counts, Output<T> output) {
    this.serializer = serializer;
    this.counts = counts;
    this.output = output;
    this.head = new PageHead<>(serializer);
  }

  /**
   * Keeps what stands in a checkpoint, too.
   *
   * @throws IOException if that cannot become records of the present type; one sentence
   */
  void restore(Iterable<byte[]> checkpoint, ClassLoader classes) throws IOException {
    for (byte[] bytes : checkpoint) {
      DataInputDeserializer source = new DataInputDeserializer(bytes);
      TypeSerializer<T> reader = head.reader(source, classes);
      int first = source.getPosition();
      records.over(bytes, first, bytes.length);
      if (reader == serializer) {
        while (records.next()) {
          count(records.valueBytes(), records.timestamp());
        }
        close();
        pages.add(new KeptPage(bytes, first));
      } else {
        while (records.next()) {
          add(records.read(reader), records.timestamp(), records.arrival());
        }
      }
    }
  }

  /** What stands in the next checkpoint: the pages themselves, which never change. */
  List<byte[]> checkpoint() throws IOException {
    List<byte[]> checkpoint = new ArrayList<>(pages.size() + 1);
    for (KeptPage page : pages) {
      checkpoint.add(page.bytes);
    }
    if (open.length() > 0) {
      checkpoint.add(head.page(open.getSharedBuffer(), open.length()).bytes);
    }
    return checkpoint;
  }

  @Override
  public void add(StreamRecord<T> record, long timestamp, long arrival) {
    int begin = open.length();
    int valueBytes = -1;
    try {
      valueBytes = PageRecords.write(record, timestamp, arrival, serializer, open);
    } catch (IOException e) {
      throw new UncheckedIOException("a record that the gate has to keep cannot be written", e);
    } finally {
      if (valueBytes < 0) {
        // Half a record would make the rest of the page unreadable.
        open.setPosition(begin);
      }
    }
    count(valueBytes, timestamp);
    if (open.length() > PAGE_BYTES) {
      turnPage(begin);
    }
  }

  private void count(int valueBytes, long timestamp) {
    counts.kept++;
    counts.keptBytes += valueBytes + COUNTED_BYTES;
    lowest = Math.min(lowest, timestamp);
  }

  /**
   * The record that begins there makes the open page too large: it becomes the first of the next.
   */
  private void turnPage(int begin) {
    DataOutputSerializer written = open;
    int length = written.length() - begin;
    if (begin > 0) {
      written.setPosition(begin);
      close();
      append(written.getSharedBuffer(), begin, length);
    }
    if (open.length() > PAGE_BYTES) {
      close();
    }
  }

  /** Closes the open page, if there is anything in it. */
  private void close() {
    if (open.length() == 0) {
      return;
    }
    try {
      pages.add(head.page(open.getSharedBuffer(), open.length()));
    } catch (IOException e) {
      throw new UncheckedIOException("the records that the gate keeps cannot be written", e);
    }
    if (open.getSharedBuffer().length > 2 * PAGE_BYTES) {
      // One large record must not cost its size for ever.
      open = new DataOutputSerializer(PAGE_BYTES);
    } else {
      open.clear();
    }
  }

  /** Adds records, as they are, to the open page, or to a new one if they are too much for it. */
  private void append(byte[] bytes, int begin, int length) {
    if (open.length() + length > PAGE_BYTES) {
      close();
    }
    try {
      open.write(bytes, begin, length);
    } catch (IOException e) {
      throw new UncheckedIOException("the records that the gate keeps cannot be written", e);
    }
  }

  /** A page of which all is kept stays as it is; what is left of the others moves together. */
  @Override
  public void settle(Judging judging) {
    ArrayDeque<KeptPage> before = pages;
    DataOutputSerializer last = open;
    pages = new ArrayDeque<>();
    open = new DataOutputSerializer(FIRST_BYTES);
    lowest = AtBarrier.NOTHING_KEPT;
    // Each page can be collected as soon as its records have gone out.
    for (KeptPage page = before.poll(); page != null; page = before.poll()) {
      if (settle(page.bytes, page.first, page.bytes.length, judging)) {
        close();
        pages.add(page);
      }
    }
    if (settle(last.getSharedBuffer(), 0, last.length(), judging)) {
      close();
      open = last;
    }
  }

  /** Whether all of these are still kept; if not, what is left has gone to the open page. */
  private boolean settle(byte[] bytes, int first, int limit, Judging judging) {
    // Those from here on are still kept, and not moved yet.
    int left = first;
    try {
      records.over(bytes, first, limit);
      while (records.next()) {
        Verdict verdict = judging.judge(records.timestamp(), records.arrival());
        if (verdict == Verdict.KEEP) {
          lowest = Math.min(lowest, records.timestamp());
          continue;
        }
        append(bytes, left, records.begin() - left);
        left = records.end();
        counts.kept--;
        counts.keptBytes -= records.valueBytes() + COUNTED_BYTES;
        if (verdict == Verdict.EMIT) {
          output.emit(records.read(serializer));
        } else {
          output.drop();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("a record that the gate has kept cannot be read", e);
    }
    if (left == first) {
      return true;
    }
    append(bytes, left, limit - left);
    return false;
  }

  @Override
  public long lowest() {
    return lowest;
  }

  @Override
  public List<Kept<StreamRecord<T>>> all() {
    List<Kept<StreamRecord<T>>> all = new ArrayList<>();
    try {
      for (KeptPage page : pages) {
        read(page.bytes, page.first, page.bytes.length, all);
      }
      read(open.getSharedBuffer(), 0, open.length(), all);
    } catch (IOException e) {
      throw new UncheckedIOException("a record that the gate has kept cannot be read", e);
    }
    return all;
  }

  private void read(byte[] bytes, int first, int limit, List<Kept<StreamRecord<T>>> all)
      throws IOException {
    records.over(bytes, first, limit);
    while (records.next()) {
      all.add(Kept.of(records.read(serializer), records.timestamp(), records.arrival()));
    }
  }
}
