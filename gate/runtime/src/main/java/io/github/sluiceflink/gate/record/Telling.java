package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.record.RecordStore.Listener;

/** Tells a listener what is new to it. For one thread. */
final class Telling {

  private final Listener listener;

  /** What was told last: the version of a record, its absence, or the sentence of a trouble. */
  private Object last = "";

  Telling(Listener listener) {
    this.listener = listener;
  }

  void read(long version, HandoverRecord handover) {
    if (isNew(version)) {
      listener.onRead(version, handover);
    }
  }

  void absent() {
    if (isNew(0L)) {
      listener.onAbsent();
    }
  }

  void trouble(String sentence) {
    if (isNew(sentence)) {
      listener.onTrouble(sentence);
    }
  }

  private boolean isNew(Object now) {
    boolean isNew = !now.equals(last);
    last = now;
    return isNew;
  }
}
