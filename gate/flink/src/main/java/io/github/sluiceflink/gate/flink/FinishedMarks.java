package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Finished;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * Which subtasks of one gate have come to the end of their input, with what they had emitted and
 * dropped: what the gate's coordinator has in a checkpoint. For one thread.
 */
final class FinishedMarks {

  private static final int VERSION = 1;

  /** A mark that no checkpoint holds yet. */
  private static final long NO_CHECKPOINT = Long.MAX_VALUE;

  private static final class Mark {
    final Finished finished;

    /** The first checkpoint that holds it. */
    long since;

    Mark(Finished finished, long since) {
      this.finished = finished;
      this.since = since;
    }
  }

  private final Map<Integer, Mark> marks = new HashMap<>();

  void put(int subtask, Finished finished) {
    marks.putIfAbsent(subtask, new Mark(finished, NO_CHECKPOINT));
  }

  Optional<Finished> of(int subtask) {
    return Optional.ofNullable(marks.get(subtask)).map(it -> it.finished);
  }

  /** What stands in this checkpoint. */
  byte[] write(long checkpoint) {
    try {
      DataOutputSerializer target = new DataOutputSerializer(64);
      target.writeInt(VERSION);
      target.writeInt(marks.size());
      for (Map.Entry<Integer, Mark> mark : marks.entrySet()) {
        mark.getValue().since = Math.min(mark.getValue().since, checkpoint);
        target.writeInt(mark.getKey());
        target.writeLong(mark.getValue().finished.highest());
        target.writeLong(mark.getValue().finished.dropped());
      }
      return target.getCopyOfBuffer();
    } catch (IOException e) {
      throw new IllegalStateException("bytes in memory can be written", e);
    }
  }

  /**
   * Starts again from a checkpoint.
   *
   * <p>Flink lets the subtasks of a vertex rest only if all of them had finished. Otherwise each
   * runs again, and may be given input that was another's.
   *
   * @param state what stands in the checkpoint; null if nothing does
   * @param parallelism of the gate now
   */
  static FinishedMarks restore(byte[] state, long checkpoint, int parallelism) throws IOException {
    FinishedMarks restored = new FinishedMarks();
    if (state == null || state.length == 0) {
      return restored;
    }
    DataInputDeserializer source = new DataInputDeserializer(state);
    WrittenVersion.check(source, VERSION, "the state of the gate's coordinator");
    int count = source.readInt();
    for (int i = 0; i < count; i++) {
      int subtask = source.readInt();
      Finished finished = Finished.of(source.readLong(), source.readLong());
      restored.marks.put(subtask, new Mark(finished, checkpoint));
    }
    if (count < parallelism) {
      restored.marks.clear();
    }
    return restored;
  }

  /** A subtask starts again from a checkpoint. */
  void reset(int subtask, long checkpoint, int parallelism) {
    long resting = marks.values().stream().filter(it -> it.since <= checkpoint).count();
    if (resting < parallelism) {
      marks.remove(subtask);
    }
  }
}
