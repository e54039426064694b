package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Kept;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Kept records as they stand in a checkpoint: in blocks, each with the snapshot of the serializer
 * that wrote its records. So a gate that keeps nothing leaves nothing of the user's types behind,
 * and they may change from one version of the job to the next.
 */
final class KeptRecords {

  private static final int VERSION = 1;

  /** Where a block ends, in bytes. Blocks are what Flink deals out when it rescales. */
  private static final int BLOCK_BYTES = 64 * 1024;

  private KeptRecords() {}

  static <T> List<byte[]> write(List<Kept<Object>> kept, TypeSerializer<T> serializer)
      throws IOException {
    List<byte[]> blocks = new ArrayList<>();
    if (kept.isEmpty()) {
      return blocks;
    }
    DataOutputSerializer header = new DataOutputSerializer(1024);
    header.writeInt(VERSION);
    TypeSerializerSnapshot.writeVersionedSnapshot(header, serializer.snapshotConfiguration());
    DataOutputSerializer block = new DataOutputSerializer(BLOCK_BYTES);
    for (Kept<Object> one : kept) {
      if (block.length() == 0) {
        block.write(header.getSharedBuffer(), 0, header.length());
      }
      block.writeLong(one.timestamp());
      block.writeLong(one.arrival());
      ((KeptRecord) one.record()).write(block);
      if (block.length() >= BLOCK_BYTES) {
        blocks.add(block.getCopyOfBuffer());
        block.clear();
      }
    }
    if (block.length() > 0) {
      blocks.add(block.getCopyOfBuffer());
    }
    return blocks;
  }

  /**
   * Reads them.
   *
   * @throws IOException if the records cannot become those of the new serializer; one sentence
   */
  static <T> List<Kept<Object>> read(
      Iterable<byte[]> blocks, TypeSerializer<T> serializer, ClassLoader classes)
      throws IOException {
    List<Kept<Object>> kept = new ArrayList<>();
    for (byte[] block : blocks) {
      readBlock(block, serializer, classes, kept);
    }
    return kept;
  }

  private static <T> void readBlock(
      byte[] block, TypeSerializer<T> serializer, ClassLoader classes, List<Kept<Object>> kept)
      throws IOException {
    DataInputDeserializer source = new DataInputDeserializer(block);
    int version = source.readInt();
    if (version != VERSION) {
      throw new IOException(
          "the records that the gate kept are written in version "
              + version
              + ", and this gate reads version "
              + VERSION
              + "; take the agent that wrote them, or a newer one");
    }
    TypeSerializer<T> reader = reader(source, serializer, classes);
    DataInputDeserializer value = new DataInputDeserializer();
    DataOutputSerializer migrated = new DataOutputSerializer(64);
    while (source.available() > 0) {
      long timestamp = source.readLong();
      long arrival = source.readLong();
      KeptRecord one = KeptRecord.read(source);
      kept.add(
          Kept.of(
              reader == serializer ? one : one.migrated(reader, serializer, value, migrated),
              timestamp,
              arrival));
    }
  }

  /** The serializer that reads what the one of this snapshot wrote. */
  private static <T> TypeSerializer<T> reader(
      DataInputDeserializer source, TypeSerializer<T> serializer, ClassLoader classes)
      throws IOException {
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
