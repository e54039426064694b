package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.GateState;
import io.github.sluiceflink.gate.handover.Times;
import java.io.IOException;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * The marks of a subtask as they stand in a checkpoint.
 *
 * <p>They are no union state, because Flink takes no checkpoint of a vertex that has such state
 * once some of its subtasks have finished and others have not. After rescaling, each subtask has
 * the marks that Flink dealt out to it: the highest of all timestamps are still some subtask's, and
 * a subtask's watermark is lower than the lowest, which is none.
 */
final class GateMarks {

  private static final int VERSION = 1;

  private final int index;
  private final int parallelism;
  private final long emitted;
  private final long dropped;
  private final long watermark;

  private GateMarks(int index, int parallelism, long emitted, long dropped, long watermark) {
    this.index = index;
    this.parallelism = parallelism;
    this.emitted = emitted;
    this.dropped = dropped;
    this.watermark = watermark;
  }

  static byte[] write(int index, int parallelism, GateSubtask<?> gate) throws IOException {
    DataOutputSerializer target = new DataOutputSerializer(64);
    target.writeInt(VERSION);
    target.writeInt(index);
    target.writeInt(parallelism);
    target.writeLong(gate.emitted());
    target.writeLong(gate.dropped());
    target.writeLong(gate.watermark());
    return target.getCopyOfBuffer();
  }

  private static GateMarks read(byte[] bytes) throws IOException {
    DataInputDeserializer source = new DataInputDeserializer(bytes);
    WrittenVersion.check(source, VERSION, "the gate's state");
    return new GateMarks(
        source.readInt(),
        source.readInt(),
        source.readLong(),
        source.readLong(),
        source.readLong());
  }

  /** The state of the subtask that these marks were dealt out to, without what it keeps. */
  static GateState<?> restore(Iterable<byte[]> dealt, int index, int parallelism)
      throws IOException {
    long emitted = Times.NO_TIMESTAMP;
    long dropped = Times.NO_TIMESTAMP;
    long watermark = Times.NO_WATERMARK;
    for (byte[] bytes : dealt) {
      GateMarks marks = read(bytes);
      emitted = Math.max(emitted, marks.emitted);
      dropped = Math.max(dropped, marks.dropped);
      if (marks.index == index && marks.parallelism == parallelism) {
        watermark = marks.watermark;
      }
    }
    return GateState.of(List.of(), emitted, dropped, watermark);
  }
}
