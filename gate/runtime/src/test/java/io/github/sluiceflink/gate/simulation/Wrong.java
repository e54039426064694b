package io.github.sluiceflink.gate.simulation;

/** What somebody around the protocol does wrong: the operator, or Flink's part in the gates. */
enum Wrong {
  NOTHING,
  /** The operator writes COMMIT whatever the record says by now. */
  COMMIT_WITHOUT_VERSION,
  /** The operator writes ABORT although COMMIT was written. */
  ABORT_AFTER_COMMIT,
  /** The outgoing job is deleted as soon as it reports to be drained. */
  DELETED_BEFORE_SEALED,
  /** The operator does not wait for a checkpoint newer than the fork. */
  PREPARE_WITHOUT_SETTLED_FORK,
  /** The operator does not wait for H to reach what the standby dropped. */
  PREPARE_BEFORE_STANDBY_MISSES_NOTHING,
  /** The next handover begins before the incoming job has passed the cut. */
  STABLE_BEFORE_PASSED,
  /** A forked job inherits the state of the sinks. */
  SINK_STATE_KEPT
}
