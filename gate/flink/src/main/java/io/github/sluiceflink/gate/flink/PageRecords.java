package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Goes over the records of a page, one after the other; and how one of them is written. */
final class PageRecords {

  /** The timestamps, the watermark, whether Flink gave it a timestamp, and the value's length. */
  private static final int HEAD_BYTES = 3 * Long.BYTES + 1 + Integer.BYTES;

  private final DataInputDeserializer source = new DataInputDeserializer();
  private byte[] bytes;
  private int limit;
  private int begin;
  private int valueBegin;
  private int end;
  private long timestamp;
  private long arrival;
  private boolean stamped;
  private long stamp;

  /**
   * Writes one.
   *
   * @return how many bytes its value takes
   */
  static <T> int write(
      StreamRecord<T> record,
      long timestamp,
      long arrival,
      TypeSerializer<T> serializer,
      DataOutputSerializer target)
      throws IOException {
    target.writeLong(timestamp);
    target.writeLong(arrival);
    target.writeBoolean(record.hasTimestamp());
    target.writeLong(record.hasTimestamp() ? record.getTimestamp() : 0);
    int lengthAt = target.length();
    target.writeInt(0);
    int valueBegin = target.length();
    serializer.serialize(record.getValue(), target);
    int length = target.length() - valueBegin;
    target.writeIntUnsafe(length, lengthAt);
    return length;
  }

  /** Stands before the first of the records from one place to another. */
  void over(byte[] bytes, int first, int limit) {
    this.bytes = bytes;
    this.limit = limit;
    this.end = first;
  }

  /** Goes on to the next, if there is one. */
  boolean next() throws IOException {
    begin = end;
    if (begin == limit) {
      return false;
    }
    source.setBuffer(bytes, begin, limit - begin);
    timestamp = source.readLong();
    arrival = source.readLong();
    stamped = source.readBoolean();
    stamp = source.readLong();
    int length = source.readInt();
    valueBegin = begin + HEAD_BYTES;
    end = valueBegin + length;
    return true;
  }

  /** The record. */
  <T> StreamRecord<T> read(TypeSerializer<T> serializer) throws IOException {
    source.setBuffer(bytes, valueBegin, valueBytes());
    T value = serializer.deserialize(source);
    return stamped ? new StreamRecord<>(value, stamp) : new StreamRecord<>(value);
  }

  /** Where it begins. */
  int begin() {
    return begin;
  }

  /** Where it ends. */
  int end() {
    return end;
  }

  int valueBytes() {
    return end - valueBegin;
  }

  /** Its event time. */
  long timestamp() {
    return timestamp;
  }

  /** The gate's watermark when it came. */
  long arrival() {
    return arrival;
  }
}
