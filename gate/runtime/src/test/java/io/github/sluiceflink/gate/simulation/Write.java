package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.HandoverRecord;

/** A write that is under way. */
final class Write {

  /** Whose it is; null for the operator. */
  final Run run;

  /** The version on which it is conditional; 0 for a write without a condition. */
  final long expected;

  final HandoverRecord record;
  boolean hasArrived;
  boolean hasSucceeded;

  /** The version that it made. */
  long version;

  boolean isAnswered;

  Write(Run run, long expected, HandoverRecord record) {
    this.run = run;
    this.expected = expected;
    this.record = record;
  }
}
