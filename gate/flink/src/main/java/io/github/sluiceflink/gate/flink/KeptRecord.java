package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** A record that a gate keeps: a copy, as bytes, and the timestamp that Flink gave it. */
final class KeptRecord {

  /** What its timestamps and its length take in the state, in bytes. */
  private static final int HEADER = 4 * Long.BYTES;

  private final byte[] value;
  private final boolean timed;
  private final long timestamp;

  private KeptRecord(byte[] value, boolean timed, long timestamp) {
    this.value = value;
    this.timed = timed;
    this.timestamp = timestamp;
  }

  /**
   * A copy of a record.
   *
   * @param buffer is used again for each
   */
  static <T> KeptRecord copyOf(
      StreamRecord<T> record, TypeSerializer<T> serializer, DataOutputSerializer buffer)
      throws IOException {
    buffer.clear();
    serializer.serialize(record.getValue(), buffer);
    return new KeptRecord(
        buffer.getCopyOfBuffer(),
        record.hasTimestamp(),
        record.hasTimestamp() ? record.getTimestamp() : 0);
  }

  /** The record again. */
  <T> StreamRecord<T> restore(TypeSerializer<T> serializer, DataInputDeserializer buffer)
      throws IOException {
    buffer.setBuffer(value);
    T restored = serializer.deserialize(buffer);
    return timed ? new StreamRecord<>(restored, timestamp) : new StreamRecord<>(restored);
  }

  /** What it takes, in bytes. */
  long bytes() {
    return value.length + (long) HEADER;
  }

  void write(DataOutputView target) throws IOException {
    target.writeBoolean(timed);
    target.writeLong(timestamp);
    target.writeInt(value.length);
    target.write(value);
  }

  static KeptRecord read(DataInputView source) throws IOException {
    boolean timed = source.readBoolean();
    long timestamp = source.readLong();
    byte[] value = new byte[source.readInt()];
    source.readFully(value);
    return new KeptRecord(value, timed, timestamp);
  }

  /** The same record, written by one serializer, as another one writes it. */
  <T> KeptRecord migrated(
      TypeSerializer<T> from,
      TypeSerializer<T> to,
      DataInputDeserializer input,
      DataOutputSerializer output)
      throws IOException {
    return copyOf(restore(from, input), to, output);
  }
}
