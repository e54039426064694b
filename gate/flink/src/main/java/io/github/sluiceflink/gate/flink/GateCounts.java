package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Figures;

/** What one subtask of a gate has counted since it started. For one thread; others may look. */
final class GateCounts {

  long emitted;
  long dropped;
  long kept;
  long keptBytes;
  long late;
  long untimed;
  long offClock;

  Figures figures() {
    return Figures.builder()
        .emitted(emitted)
        .dropped(dropped)
        .kept(kept)
        .keptBytes(keptBytes)
        .late(late)
        .untimed(untimed)
        .offClock(offClock)
        .build();
  }
}
