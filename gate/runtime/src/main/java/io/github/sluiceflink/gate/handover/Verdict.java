package io.github.sluiceflink.gate.handover;

/** What is done with a record. */
public enum Verdict {
  /** Hand it on to the sink. */
  EMIT,
  /** Keep it in the gate's state. */
  KEEP,
  /** Forget it: the other job emits it. */
  DROP
}
