package io.github.sluiceflink.gate.twojobs;

import io.github.sluiceflink.gate.record.RecordPlace;
import io.github.sluiceflink.gate.twojobs.Handover.Point;

/**
 * A handover with its record in a ConfigMap of a real API server, in which a TaskManager dies. Who
 * starts this program has that server, and two service accounts: this process's own is the
 * operator's.
 */
public final class ConfigMapHandover {

  /** What tells a process where its API server and its service account are. */
  private static final String ADDRESS = "bluegreen.kubernetes.address";

  private static final String ACCOUNT = "bluegreen.kubernetes.service-account-directory";

  private ConfigMapHandover() {}

  /** The ConfigMap's namespace and name, and the directory of the jobs' service account. */
  public static void main(String[] arguments) throws Exception {
    String namespace = arguments[0];
    String name = arguments[1];
    String account = "-D" + ACCOUNT + "=" + arguments[2];
    String address = "-D" + ADDRESS + "=" + System.getProperty(ADDRESS);
    try (Scene scene =
        new Scene(
            "configmap",
            RecordPlace.configMap(namespace, name),
            it ->
                it.with("bluegreen.configmap.namespace", namespace)
                    .with("bluegreen.configmap.name", name)
                    .option(address)
                    .option(account))) {
      WatermarkHandoverTest.bothWrote(
          new Handover(scene).at(Point.CUT, it -> it.blue().killTaskManager()).run());
    }
  }
}
