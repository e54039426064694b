package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.record.RecordStore.Listener;

/** Tells a listener what is new to it, until it is closed. For one thread; closed by any. */
final class Telling {

  private final Listener listener;
  private volatile boolean closed;

  /** What was told last: the version of a record, its absence, or the sentence of a trouble. */
  private Object last = "";

  Telling(Listener listener) {
    this.listener = listener;
  }

  void read(long version, HandoverRecord handover) {
    tell(version, () -> listener.onRead(version, handover));
  }

  void absent() {
    tell(0L, listener::onAbsent);
  }

  void trouble(String sentence) {
    tell(sentence, () -> listener.onTrouble(sentence));
  }

  private void tell(Object now, Runnable call) {
    if (closed || now.equals(last)) {
      return;
    }
    last = now;
    try {
      call.run();
    } catch (RuntimeException e) {
      // A fault of the listener's must not end the watch without a word.
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }

  void close() {
    closed = true;
  }
}
