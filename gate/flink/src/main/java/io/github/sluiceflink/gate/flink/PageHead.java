package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * What stands before the records of each page: the snapshot of the serializer that wrote them. So a
 * page can be read alone, wherever Flink deals it out to; a gate that keeps nothing leaves nothing
 * of the user's types behind; and they may change from one version of the job to the next.
 */
final class PageHead<T> {

  private static final int VERSION = 1;

  private final TypeSerializer<T> serializer;
  private final DataOutputSerializer buffer = new DataOutputSerializer(256);

  PageHead(TypeSerializer<T> serializer) {
    this.serializer = serializer;
  }

  /**
   * A page of records that this serializer wrote. Its snapshot is taken only now, because some
   * serializers learn from what they write.
   */
  KeptPage page(byte[] records, int length) throws IOException {
    buffer.clear();
    buffer.writeInt(VERSION);
    TypeSerializerSnapshot.writeVersionedSnapshot(buffer, serializer.snapshotConfiguration());
    int first = buffer.length();
    byte[] bytes = new byte[first + length];
    System.arraycopy(buffer.getSharedBuffer(), 0, bytes, 0, first);
    System.arraycopy(records, 0, bytes, first, length);
    return new KeptPage(bytes, first);
  }

  /**
   * The serializer that reads a page's records, this one itself if it can.
   *
   * @param source stands at the first record afterwards
   * @throws IOException if the records cannot become those of the present serializer; one sentence
   */
  TypeSerializer<T> reader(DataInputDeserializer source, ClassLoader classes) throws IOException {
    WrittenVersion.check(source, VERSION, "what the gate kept");
    TypeSerializerSnapshot<T> old = TypeSerializerSnapshot.readVersionedSnapshot(source, classes);
    TypeSerializerSchemaCompatibility<T> compatibility =
        serializer.snapshotConfiguration().resolveSchemaCompatibility(old);
    if (compatibility.isCompatibleAsIs()) {
      return serializer;
    }
    if (compatibility.isCompatibleWithReconfiguredSerializer()) {
      return compatibility.getReconfiguredSerializer();
    }
    if (compatibility.isCompatibleAfterMigration()) {
      return old.restoreSerializer();
    }
    throw new IOException(
        "the gate kept records of a type that cannot become the present one ("
            + old.getClass().getName()
            + " is not compatible with "
            + serializer.getClass().getName()
            + "); start from a savepoint that was taken while no handover was under way");
  }
}
