package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.GateState;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** A checkpoint or savepoint of a job, under way or completed. */
final class Snapshot {

  enum Kind {
    CHECKPOINT,
    SAVEPOINT,
    STOP
  }

  final long id;
  final Kind kind;
  final boolean unaligned;

  /** How many subtasks have not taken part yet. */
  int awaited;

  /** How much of each split was handled. */
  final int[] positions;

  /** The state of each gate's subtasks; null for one that has not taken part. */
  final List<List<GateState<Integer>>> states = new ArrayList<>();

  /** What finished subtasks had emitted as their highest. */
  final List<List<OptionalLong>> finished = new ArrayList<>();

  /** What was on its way on a channel, by its name. */
  final Map<String, List<Item>> channels = new HashMap<>();

  /** What was written and is not committed. */
  final List<Transaction> transactions = new ArrayList<>();

  /** For the laws: what each gate had emitted and dropped. */
  final BitSet[] emitted;

  final BitSet[] dropped;

  Snapshot(long id, Kind kind, boolean unaligned, int splits, int gates) {
    this.id = id;
    this.kind = kind;
    this.unaligned = unaligned;
    this.positions = new int[splits];
    this.emitted = new BitSet[gates];
    this.dropped = new BitSet[gates];
    for (int gate = 0; gate < gates; gate++) {
      emitted[gate] = new BitSet();
      dropped[gate] = new BitSet();
    }
  }

  /** The checkpoint as the coordinator is told of it. */
  static OptionalLong id(Snapshot restored) {
    return restored == null ? OptionalLong.empty() : OptionalLong.of(restored.id);
  }
}
