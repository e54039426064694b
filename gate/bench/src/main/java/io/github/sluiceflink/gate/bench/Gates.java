package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Times;
import java.util.OptionalLong;

/** What stands before the sink. */
public enum Gates {
  /** No gate. */
  NONE,
  /** Another operator, which does nothing. */
  OPERATOR,
  /** The gate of the active job: everything passes. */
  PASSING,
  /** The gate of a job that waits to take over: everything is kept. */
  KEEPING;

  /** The record that has a gate of a green job, created for epoch 2, do this. */
  HandoverRecord handover() {
    Job green = Job.of(Color.GREEN, 2);
    HandoverRecord.Builder handover = HandoverRecord.builder().epoch(2);
    return this == KEEPING
        ? handover
            .phase(Phase.standby(Times.NO_TIMESTAMP))
            .active(Job.of(Color.BLUE, 1))
            .incoming(OptionalLong.of(green.createdFor()))
            .build()
        : handover.phase(Phase.stable()).active(green).build();
  }
}
