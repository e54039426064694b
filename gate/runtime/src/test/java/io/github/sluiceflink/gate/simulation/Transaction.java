package io.github.sluiceflink.gate.simulation;

import java.util.ArrayList;
import java.util.List;

/** What a sink writes between two checkpoints, outside of Flink. */
final class Transaction {

  enum State {
    OPEN,
    PENDING,
    COMMITTED,
    ABORTED
  }

  final SimulatedJob owner;
  final int gate;
  final List<Integer> records = new ArrayList<>();
  State state = State.OPEN;

  /** The checkpoint that it belongs to, once it is pending. */
  long checkpoint;

  Transaction(SimulatedJob owner, int gate) {
    this.owner = owner;
    this.gate = gate;
  }
}
