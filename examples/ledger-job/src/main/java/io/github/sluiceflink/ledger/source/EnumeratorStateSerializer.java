package io.github.sluiceflink.ledger.source;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** How the enumerator's state stands in a checkpoint. */
final class EnumeratorStateSerializer implements SimpleVersionedSerializer<EnumeratorState> {
  private static final int VERSION = 1;

  @Override
  public int getVersion() {
    return VERSION;
  }

  @Override
  public byte[] serialize(EnumeratorState state) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(state.knownSplits());
      out.writeInt(state.waiting().size());
      for (EventFileSplit split : state.waiting()) {
        EventFileSplitSerializer.write(split, out);
      }
    }
    return bytes.toByteArray();
  }

  @Override
  public EnumeratorState deserialize(int version, byte[] serialized) throws IOException {
    if (version != VERSION) {
      throw new IOException(
          "The savepoint has the list of splits in version "
              + version
              + ", this job reads "
              + VERSION
              + ".");
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
      int knownSplits = in.readInt();
      int count = in.readInt();
      List<EventFileSplit> waiting = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        waiting.add(EventFileSplitSerializer.read(in));
      }
      return new EnumeratorState(knownSplits, waiting);
    }
  }
}
