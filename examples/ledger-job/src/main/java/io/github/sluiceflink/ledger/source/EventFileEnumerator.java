package io.github.sluiceflink.ledger.source;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/**
 * Hands every split to one reader: split k to subtask k modulo the parallelism. A split that a
 * reader has already read from is in that reader's checkpointed state; after a change of
 * parallelism Flink spreads that state over the new readers, so only splits that nobody has ever
 * had pass through here.
 */
final class EventFileEnumerator implements SplitEnumerator<EventFileSplit, EnumeratorState> {
  private final SplitEnumeratorContext<EventFileSplit> context;
  private final int knownSplits;
  private final List<EventFileSplit> waiting;

  EventFileEnumerator(
      SplitEnumeratorContext<EventFileSplit> context, int splits, EnumeratorState restored) {
    this.context = context;
    this.waiting = new ArrayList<>(restored.waiting());
    for (int index = restored.knownSplits(); index < splits; index++) {
      waiting.add(EventFileSplit.atStart(index));
    }
    // A job restored with fewer splits goes on with those it has: none of them may be forgotten.
    this.knownSplits = Math.max(splits, restored.knownSplits());
  }

  @Override
  public void start() {
    // Nothing to look for: the number of files is given.
  }

  @Override
  public void handleSplitRequest(int subtaskId, String requesterHostname) {
    // Readers get their splits when they register; they never ask.
  }

  @Override
  public void addReader(int subtaskId) {
    assignWaiting();
  }

  @Override
  public void addSplitsBack(List<EventFileSplit> splits, int subtaskId) {
    waiting.addAll(splits);
    assignWaiting();
  }

  @Override
  public EnumeratorState snapshotState(long checkpointId) {
    return new EnumeratorState(knownSplits, waiting);
  }

  @Override
  public void close() {
    // Holds nothing.
  }

  private void assignWaiting() {
    Iterator<EventFileSplit> splits = waiting.iterator();
    while (splits.hasNext()) {
      EventFileSplit split = splits.next();
      int owner = split.index() % context.currentParallelism();
      if (context.registeredReaders().containsKey(owner)) {
        context.assignSplit(split, owner);
        splits.remove();
      }
    }
  }
}
