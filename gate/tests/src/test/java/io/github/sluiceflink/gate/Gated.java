package io.github.sluiceflink.gate;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.record.RecordStore;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;

/** The configuration of a job that asks for gates, and has the say of what it writes. */
final class Gated {

  private static final Job ACTIVE = Job.of(Color.BLUE, 1);

  private Gated() {}

  /** What the operator would write, with a handover record in this directory. */
  static Configuration configuration(Path record) {
    Configuration configuration = new Configuration();
    configuration.setString("parallelism.default", "2");
    configuration.setString("execution.checkpointing.interval", "200 ms");
    configuration.setString("restart-strategy.type", "none");
    // The small cluster has slots for one slot sharing group by itself.
    configuration.setString("taskmanager.numberOfTaskSlots", "8");
    configuration.setString("bluegreen.gate.injection.enabled", "true");
    configuration.setString("bluegreen.active-deployment-type", "BLUE");
    configuration.setString("bluegreen.handover.epoch", "1");
    configuration.setString("bluegreen.handover.directory", record.toString());
    configuration.setString("bluegreen.gate.report-interval", "200 ms");
    return configuration;
  }

  /** As nobody hands it over: gates let everything pass. */
  static void stable(Path record) throws Exception {
    try (RecordStore store = RecordPlace.directory(record.toString()).open()) {
      store
          .put(0, HandoverRecord.builder().epoch(1).phase(Phase.stable()).active(ACTIVE).build())
          .get(30, TimeUnit.SECONDS);
    }
  }
}
