package io.github.sluiceflink.gate.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A listener that remembers what it is told, as short texts. */
final class Told implements RecordStore.Listener {

  private final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  @Override
  public void onRead(long version, HandoverRecord handover) {
    told.add(version + " " + handover.phase().name());
  }

  @Override
  public void onAbsent() {
    told.add("absent");
  }

  @Override
  public void onTrouble(String sentence) {
    told.add(sentence);
  }

  String next() throws InterruptedException {
    String next = told.poll(20, TimeUnit.SECONDS);
    assertNotNull(next, "nothing more was told within 20 s");
    return next;
  }

  void expect(String expected) throws InterruptedException {
    assertEquals(expected, next());
  }

  /** Nothing is told within the time in which a poll would have been made. */
  void expectNothing() throws InterruptedException {
    assertNull(told.poll(1500, TimeUnit.MILLISECONDS));
  }
}
