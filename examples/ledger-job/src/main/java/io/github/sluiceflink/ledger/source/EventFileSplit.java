package io.github.sluiceflink.ledger.source;

import java.util.Objects;
import org.apache.flink.api.connector.source.SourceSplit;

/**
 * One event file and how far it has been read. The directory is not part of it, so that a savepoint
 * restores when the input directory has moved.
 */
public final class EventFileSplit implements SourceSplit {
  /** {@link #lastSequence()} of a split of which nothing has been read. */
  public static final long NOTHING_READ = -1;

  private final int index;
  private final long offset;
  private final long lastSequence;

  /**
   * @param index which file: {@code split-<index>.log}
   * @param offset bytes read, always just behind a line feed
   * @param lastSequence sequence number of the last event read, or {@link #NOTHING_READ}
   */
  public EventFileSplit(int index, long offset, long lastSequence) {
    this.index = index;
    this.offset = offset;
    this.lastSequence = lastSequence;
  }

  /** The split of file {@code index} from its beginning. */
  public static EventFileSplit atStart(int index) {
    return new EventFileSplit(index, 0, NOTHING_READ);
  }

  /** Which file: {@code split-<index>.log}. */
  public int index() {
    return index;
  }

  /** Bytes read so far. */
  public long offset() {
    return offset;
  }

  /** Sequence number of the last event read, or {@link #NOTHING_READ}. */
  public long lastSequence() {
    return lastSequence;
  }

  /** The name of the file in the input directory. */
  public String fileName() {
    return splitId() + ".log";
  }

  @Override
  public String splitId() {
    return "split-" + index;
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof EventFileSplit)) {
      return false;
    }
    EventFileSplit that = (EventFileSplit) other;
    return index == that.index && offset == that.offset && lastSequence == that.lastSequence;
  }

  @Override
  public int hashCode() {
    return Objects.hash(index, offset, lastSequence);
  }

  @Override
  public String toString() {
    return splitId() + " at byte " + offset + ", last sequence number " + lastSequence;
  }
}
