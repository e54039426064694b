package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A serializer that breaks off in the midst of some values. */
final class BreakingSerializer extends StringsSerializer {

  static final BreakingSerializer INSTANCE = new BreakingSerializer();

  /** Cannot be written to its end. */
  static final String BREAKS = "breaks";

  /** Neither can this one, and the serializer does not say it as it should. */
  static final String BREAKS_BADLY = "breaks badly";

  private static final long serialVersionUID = 1L;

  @Override
  public void serialize(String value, DataOutputView target) throws IOException {
    target.writeUTF(value);
    if (value.equals(BREAKS)) {
      throw new IOException("it breaks");
    }
    if (value.equals(BREAKS_BADLY)) {
      throw new IllegalStateException("it breaks badly");
    }
    target.writeUTF(value);
  }

  @Override
  public String deserialize(DataInputView source) throws IOException {
    String value = source.readUTF();
    if (!source.readUTF().equals(value)) {
      throw new IOException("it is not there twice");
    }
    return value;
  }

  @Override
  public TypeSerializerSnapshot<String> snapshotConfiguration() {
    return new Snapshot();
  }

  /** Nothing but its class. */
  public static final class Snapshot extends SimpleTypeSerializerSnapshot<String> {
    public Snapshot() {
      super(() -> INSTANCE);
    }
  }
}
