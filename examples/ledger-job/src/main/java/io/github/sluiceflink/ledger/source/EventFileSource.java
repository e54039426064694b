package io.github.sluiceflink.ledger.source;

import io.github.sluiceflink.ledger.LedgerEvent;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * An unbounded, exactly replayable source of ledger events: the files {@code split-0.log} to {@code
 * split-<n-1>.log} of one directory, each of which someone appends lines to. A file that is not
 * there yet is waited for.
 */
public final class EventFileSource implements Source<LedgerEvent, EventFileSplit, EnumeratorState> {
  private static final long serialVersionUID = 1L;

  /** A string, because not every {@link Path} can be serialized. */
  private final String directory;

  private final int splits;

  /**
   * @param directory where the event files are, on a disk that every TaskManager sees
   * @param splits how many files there are, 1 or more
   */
  public EventFileSource(Path directory, int splits) {
    this.directory = directory.toString();
    this.splits = splits;
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.CONTINUOUS_UNBOUNDED;
  }

  @Override
  public SplitEnumerator<EventFileSplit, EnumeratorState> createEnumerator(
      SplitEnumeratorContext<EventFileSplit> context) {
    return restoreEnumerator(context, new EnumeratorState(0, List.of()));
  }

  @Override
  public SplitEnumerator<EventFileSplit, EnumeratorState> restoreEnumerator(
      SplitEnumeratorContext<EventFileSplit> context, EnumeratorState checkpoint) {
    return new EventFileEnumerator(context, splits, checkpoint);
  }

  @Override
  public SimpleVersionedSerializer<EventFileSplit> getSplitSerializer() {
    return new EventFileSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<EnumeratorState> getEnumeratorCheckpointSerializer() {
    return new EnumeratorStateSerializer();
  }

  @Override
  public SourceReader<LedgerEvent, EventFileSplit> createReader(SourceReaderContext context) {
    return new EventFileReader(Path.of(directory));
  }
}
