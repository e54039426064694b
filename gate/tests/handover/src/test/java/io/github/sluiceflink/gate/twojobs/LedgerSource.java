package io.github.sluiceflink.gate.twojobs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Reads an {@link Input} as it becomes readable. Endless, until a file named {@code end} in the
 * control directory says how many records each split has.
 */
final class LedgerSource implements Source<Event, LedgerSource.Split, List<LedgerSource.Split>> {

  static final String END = "end";

  private final Input input;
  private final long lag;

  /**
   * @param lag so many milliseconds later than it could, a reader reads
   */
  LedgerSource(Input input, long lag) {
    this.input = input;
    this.lag = lag;
  }

  /** A split, and where in it the next record stands. */
  static final class Split implements SourceSplit {
    private final int number;
    private long next;

    Split(int number, long next) {
      this.number = number;
      this.next = next;
    }

    @Override
    public String splitId() {
      return Integer.toString(number);
    }
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.CONTINUOUS_UNBOUNDED;
  }

  @Override
  public SourceReader<Event, Split> createReader(SourceReaderContext context) {
    return new Reader();
  }

  @Override
  public SplitEnumerator<Split, List<Split>> createEnumerator(
      SplitEnumeratorContext<Split> context) {
    List<Split> all = new ArrayList<>();
    for (int number = 0; number < input.splits(); number++) {
      all.add(new Split(number, 0));
    }
    return new Enumerator(context, all);
  }

  @Override
  public SplitEnumerator<Split, List<Split>> restoreEnumerator(
      SplitEnumeratorContext<Split> context, List<Split> unassigned) {
    return new Enumerator(context, unassigned);
  }

  @Override
  public SimpleVersionedSerializer<Split> getSplitSerializer() {
    return new SplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<List<Split>> getEnumeratorCheckpointSerializer() {
    return new SplitsSerializer();
  }

  /** Gives each split to the reader of its number. */
  private static final class Enumerator implements SplitEnumerator<Split, List<Split>> {
    private final SplitEnumeratorContext<Split> context;
    private final List<Split> unassigned;

    Enumerator(SplitEnumeratorContext<Split> context, List<Split> unassigned) {
      this.context = context;
      this.unassigned = new ArrayList<>(unassigned);
    }

    @Override
    public void start() {}

    @Override
    public void handleSplitRequest(int subtask, String host) {}

    @Override
    public void addSplitsBack(List<Split> splits, int subtask) {
      unassigned.addAll(splits);
      if (context.registeredReaders().containsKey(subtask)) {
        addReader(subtask);
      }
    }

    @Override
    public void addReader(int subtask) {
      for (Split split : new ArrayList<>(unassigned)) {
        if (split.number % context.currentParallelism() == subtask) {
          unassigned.remove(split);
          context.assignSplit(split, subtask);
        }
      }
      context.signalNoMoreSplits(subtask);
    }

    @Override
    public List<Split> snapshotState(long checkpoint) {
      return new ArrayList<>(unassigned);
    }

    @Override
    public void close() {}
  }

  /** Reads its splits in turn. */
  private final class Reader implements SourceReader<Event, Split> {
    private final Executor soon = CompletableFuture.delayedExecutor(15, TimeUnit.MILLISECONDS);
    private final Map<Integer, Split> splits = new TreeMap<>();
    private final Map<Integer, Split> ended = new TreeMap<>();
    private boolean noMoreSplits;
    private long records = Long.MAX_VALUE;
    private long lookedAt;

    @Override
    public void start() {}

    @Override
    public InputStatus pollNext(ReaderOutput<Event> output) throws IOException {
      long now = System.currentTimeMillis();
      lookForTheEnd(now);
      boolean any = false;
      for (Split split : new ArrayList<>(splits.values())) {
        if (split.next >= input.end(split.number, records)) {
          output.releaseOutputForSplit(split.splitId());
          ended.put(split.number, splits.remove(split.number));
        } else if (isReadable(split, now)) {
          long position = split.next++;
          output
              .createOutputForSplit(split.splitId())
              .collect(
                  new Event(
                      split.number,
                      position,
                      input.timestamp(split.number, position),
                      input.key(split.number, position),
                      input.isLate(split.number, position)));
          any = true;
        }
      }
      if (noMoreSplits && splits.isEmpty()) {
        return InputStatus.END_OF_INPUT;
      }
      return any ? InputStatus.MORE_AVAILABLE : InputStatus.NOTHING_AVAILABLE;
    }

    private boolean isReadable(Split split, long now) {
      return !input.isSilent(split.number, split.next)
          && input.readableAt(split.number, split.next) + lag <= now;
    }

    private void lookForTheEnd(long now) throws IOException {
      Path end = input.control().resolve(END);
      if (records == Long.MAX_VALUE && now - lookedAt > 50) {
        lookedAt = now;
        if (Files.exists(end)) {
          records = Long.parseLong(Files.readString(end));
        }
      }
    }

    @Override
    public List<Split> snapshotState(long checkpoint) {
      List<Split> all = new ArrayList<>();
      splits.values().forEach(split -> all.add(new Split(split.number, split.next)));
      ended.values().forEach(split -> all.add(new Split(split.number, split.next)));
      return all;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
      return CompletableFuture.runAsync(() -> {}, soon);
    }

    @Override
    public void addSplits(List<Split> more) {
      more.forEach(split -> splits.put(split.number, split));
    }

    @Override
    public void notifyNoMoreSplits() {
      noMoreSplits = true;
    }

    @Override
    public void close() {}
  }

  private static final class SplitSerializer implements SimpleVersionedSerializer<Split> {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(Split split) {
      return (split.number + ":" + split.next).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Split deserialize(int version, byte[] bytes) {
      String[] parts = new String(bytes, StandardCharsets.UTF_8).split(":");
      return new Split(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
    }
  }

  private static final class SplitsSerializer implements SimpleVersionedSerializer<List<Split>> {
    private final SplitSerializer one = new SplitSerializer();

    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(List<Split> splits) {
      List<String> all = new ArrayList<>();
      splits.forEach(split -> all.add(new String(one.serialize(split), StandardCharsets.UTF_8)));
      return String.join(" ", all).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public List<Split> deserialize(int version, byte[] bytes) {
      String text = new String(bytes, StandardCharsets.UTF_8);
      return text.isEmpty()
          ? new ArrayList<>()
          : new ArrayList<>(
              Arrays.stream(text.split(" "))
                  .map(split -> one.deserialize(1, split.getBytes(StandardCharsets.UTF_8)))
                  .toList());
    }
  }
}
