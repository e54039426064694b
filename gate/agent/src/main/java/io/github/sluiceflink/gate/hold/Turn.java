package io.github.sluiceflink.gate.hold;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Told;
import io.github.sluiceflink.gate.record.RecordStore;
import java.time.Duration;
import java.util.Optional;

/** What the record says of whose turn it is. */
final class Turn implements RecordStore.Listener {

  private final Job job;
  private Optional<HandoverRecord> come = Optional.empty();
  private boolean refused;
  private String seen = "the record has not been read yet";

  Turn(Job job) {
    this.job = job;
  }

  @Override
  public synchronized void onRead(long version, HandoverRecord handover) {
    Told.Role role = handover.told(job).role();
    // The newest version decides, also against what an older one said.
    come = role == Told.Role.OUTGOING ? Optional.of(handover) : Optional.empty();
    refused = role == Told.Role.STRANGER;
    seen =
        "it is at "
            + handover.phase().name()
            + " of epoch "
            + handover.epoch()
            + ", and the active job is "
            + handover.active().color()
            + ", created for epoch "
            + handover.active().createdFor();
    notifyAll();
  }

  @Override
  public synchronized void onAbsent() {
    come = Optional.empty();
    refused = false;
    seen = "there is no record";
  }

  @Override
  public synchronized void onTrouble(String sentence) {
    seen = sentence;
  }

  /** Waits until the job is the active one, or refused, but no longer than so long. */
  synchronized Optional<HandoverRecord> await(Duration longest) throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    while (come.isEmpty() && !refused) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return Optional.empty();
      }
      wait(left);
    }
    return come;
  }

  /** Whether the record is about other jobs. */
  synchronized boolean isRefused() {
    return refused;
  }

  /** What the record says, for people. */
  synchronized String seen() {
    return seen;
  }
}
