package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.AbortReason;
import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.handover.Report;

/** Records and changes for the tests. */
final class Samples {

  static final HandoverRecord PREPARE =
      HandoverRecord.builder()
          .epoch(3)
          .phase(Phase.prepare(45))
          .active(Job.of(Color.BLUE, 2))
          .build();

  static final Change ABORT = Change.abort(AbortReason.noWatermark());

  private Samples() {}

  static Change report(long attempt) {
    return Change.report(Report.builder().createdFor(2).attempt(attempt).incarnation(7).build());
  }
}
