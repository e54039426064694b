package io.github.sluiceflink.ledger.source;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** How a split stands in a checkpoint: index, offset and last sequence number. */
final class EventFileSplitSerializer implements SimpleVersionedSerializer<EventFileSplit> {
  private static final int VERSION = 1;

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(EventFileSplit split) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      write(split, out);
    }
    return bytes.toByteArray();
  }

  @Override
  public EventFileSplit deserialize(int version, byte[] serialized) throws IOException {
    if (version != VERSION) {
      throw new IOException(
          "The savepoint has a split in version " + version + ", this job reads " + VERSION + ".");
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
      return read(in);
    }
  }

  static void write(EventFileSplit split, DataOutputStream out) throws IOException {
    out.writeInt(split.index());
    out.writeLong(split.offset());
    out.writeLong(split.lastSequence());
  }

  static EventFileSplit read(DataInputStream in) throws IOException {
    return new EventFileSplit(in.readInt(), in.readLong(), in.readLong());
  }
}
