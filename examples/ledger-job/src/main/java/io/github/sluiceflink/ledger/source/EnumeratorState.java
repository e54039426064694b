package io.github.sluiceflink.ledger.source;

import java.util.List;

/** What the enumerator remembers: which splits exist, and which of them no reader has yet. */
public final class EnumeratorState {
  private final int knownSplits;
  private final List<EventFileSplit> waiting;

  /**
   * @param knownSplits how many splits, from 0 on, have been made so far
   * @param waiting those that no reader has
   */
  EnumeratorState(int knownSplits, List<EventFileSplit> waiting) {
    this.knownSplits = knownSplits;
    this.waiting = List.copyOf(waiting);
  }

  int knownSplits() {
    return knownSplits;
  }

  List<EventFileSplit> waiting() {
    return waiting;
  }
}
