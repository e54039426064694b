package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** A serializer whose later version writes otherwise, and which reads what the earlier wrote. */
final class GrowingSerializer extends StringsSerializer {

  private static final long serialVersionUID = 1L;

  private final int version;

  GrowingSerializer(int version) {
    this.version = version;
  }

  @Override
  public void serialize(String value, DataOutputView target) throws IOException {
    if (version > 1) {
      target.writeInt(version);
    }
    target.writeUTF(value);
  }

  @Override
  public String deserialize(DataInputView source) throws IOException {
    if (version > 1 && source.readInt() != version) {
      throw new IOException("written by another version");
    }
    return source.readUTF();
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && version == ((GrowingSerializer) other).version;
  }

  @Override
  public int hashCode() {
    return version;
  }

  @Override
  public TypeSerializerSnapshot<String> snapshotConfiguration() {
    Snapshot snapshot = new Snapshot();
    snapshot.version = version;
    return snapshot;
  }

  /** Its version. */
  public static final class Snapshot implements TypeSerializerSnapshot<String> {

    private int version;

    @Override
    public int getCurrentVersion() {
      return 1;
    }

    @Override
    public void writeSnapshot(DataOutputView target) throws IOException {
      target.writeInt(version);
    }

    @Override
    public void readSnapshot(int readVersion, DataInputView source, ClassLoader classes)
        throws IOException {
      version = source.readInt();
    }

    @Override
    public TypeSerializer<String> restoreSerializer() {
      return new GrowingSerializer(version);
    }

    @Override
    public TypeSerializerSchemaCompatibility<String> resolveSchemaCompatibility(
        TypeSerializerSnapshot<String> old) {
      if (!(old instanceof Snapshot)) {
        return TypeSerializerSchemaCompatibility.incompatible();
      }
      return ((Snapshot) old).version == version
          ? TypeSerializerSchemaCompatibility.compatibleAsIs()
          : TypeSerializerSchemaCompatibility.compatibleAfterMigration();
    }
  }
}
