package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import java.io.Serializable;
import java.util.Optional;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Where the event time of a record is found. */
public interface Timestamps<T> extends Serializable {

  /** The event time in milliseconds since 1970; {@link Times#NO_TIMESTAMP} if it has none. */
  long of(StreamRecord<T> record);

  /** Why the first record that should have had a timestamp has none; nothing if all have. */
  default Optional<String> trouble() {
    return Optional.empty();
  }

  /** The timestamp that Flink itself gave the record. */
  static <T> Timestamps<T> own() {
    return new OwnTimestamps<>();
  }

  /**
   * What the options say; if they say nothing, the record's own timestamp, or the column that is
   * the time of the rows of a table.
   *
   * @param type of the records; null if it is not known
   * @param rowtime the column; -1 if there is none
   * @param users with the classes of the job
   * @throws IllegalArgumentException if records of that type cannot have a timestamp in this way;
   *     one sentence
   */
  static <T> Timestamps<T> choose(
      GateOptions options, TypeInformation<T> type, int rowtime, ClassLoader users) {
    return TimestampsChoice.of(options, type, rowtime, users);
  }
}
