package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** The timestamps that Flink gave the records. */
final class OwnTimestamps<T> implements Timestamps<T> {

  private static final long serialVersionUID = 1L;

  @Override
  public long of(StreamRecord<T> record) {
    // A source without watermarks stamps its records with the lowest number, which is no timestamp.
    return record.hasTimestamp() ? record.getTimestamp() : Times.NO_TIMESTAMP;
  }
}
