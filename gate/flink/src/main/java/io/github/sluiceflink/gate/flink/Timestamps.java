package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import java.io.Serializable;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Where the event time of a record is found. */
public interface Timestamps<T> extends Serializable {

  /** The event time in milliseconds since 1970; {@link Times#NO_TIMESTAMP} if it has none. */
  long of(StreamRecord<T> record);

  /** The timestamp that Flink itself gave the record. */
  static <T> Timestamps<T> own() {
    return new OwnTimestamps<>();
  }
}
