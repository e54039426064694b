package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import java.util.concurrent.CompletableFuture;

/**
 * Where the handover record is kept. Safe for threads. Outages are waited out with a growing pause,
 * and never thrown to the one who watches.
 *
 * <p>Every state of the record has a version, a number from 1 on; a later state has a larger one.
 */
public interface RecordStore extends AutoCloseable {

  /**
   * Begins to watch. The listener is called from one thread of the store's own, first with what is
   * there. There is at most one watch per store.
   *
   * @throws IllegalStateException if the store is watched already, or was closed
   */
  void watch(Listener listener);

  /**
   * Writes what this change makes of the record, on the condition that the record is still there in
   * the version in which it was read. Keys that are not the record's are left alone.
   *
   * <p>Completes with the version written. Completes exceptionally with a {@link
   * WriteRefusedException} if another version is there, and with an {@link java.io.IOException} if
   * nothing is known of the write: it may have happened. The listener is told of the new version,
   * too.
   *
   * @param expected the version in which the record was read
   * @param read the record as it was read
   * @param color the colour of the job that writes
   */
  CompletableFuture<Long> write(long expected, HandoverRecord read, Color color, Change change);

  /**
   * Creates the record, or replaces it in this version; completes as {@link #write} does. It is for
   * tests and for local runs: in Kubernetes the operator creates the record.
   *
   * @param expected the version that is to be replaced; 0 if there must be no record yet
   */
  CompletableFuture<Long> put(long expected, HandoverRecord handover);

  /** Ends the watch and gives up what is under way. The listener is not called any more. */
  @Override
  void close();

  /**
   * Is told what the record says. What it is told last is what is there, as far as is known; states
   * in between may be left out.
   */
  interface Listener {

    /** The record is there, in this version. After trouble it may be the version told before. */
    void onRead(long version, HandoverRecord handover);

    /** There is no record. */
    void onAbsent();

    /**
     * The record cannot be read or reached; the watch goes on. One sentence for the user, told once
     * until something else is told.
     */
    void onTrouble(String sentence);
  }
}
