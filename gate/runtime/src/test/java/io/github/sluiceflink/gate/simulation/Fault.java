package io.github.sluiceflink.gate.simulation;

/** What goes wrong. */
enum Fault {
  /** A task dies, and all tasks of its job restart. */
  TASK_DIES,
  /** A JobManager dies, and its tasks with it. */
  JOB_MANAGER_DIES,
  /** A JobManager loses its job to another, and goes on with its tasks until it notices. */
  JOB_MANAGER_DEPOSED,
  /** The record can neither be read nor written, until it happens again. */
  OUTAGE,
  /** The operator forgets everything. */
  DRIVER_DIES,
  /** Somebody wants no handover. */
  ABORT,
  /** Records were kept for too long. */
  HOLD_TIMEOUT,
  /** A checkpoint fails. */
  CHECKPOINT_FAILS,
  /** A reader gets a record that is old. */
  STALE_READ,
  /** Nobody learns how a write ended, or it comes much later. */
  ANSWER_LOST,
  /** Tasks never learn that a checkpoint completed. */
  NOTICE_LOST
}
