package io.github.sluiceflink.gate.record;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.Objects;

/** Where the handover record of one deployment is. It travels with the job. */
public final class RecordPlace implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Of a ConfigMap; null for a directory. */
  private final String namespace;

  /** The name of the ConfigMap, or the path of the directory. */
  private final String name;

  private RecordPlace(String namespace, String name) {
    this.namespace = namespace;
    this.name = Objects.requireNonNull(name, "name");
  }

  /** A directory of files, as contract/record-directory.md describes it. */
  public static RecordPlace directory(String path) {
    return new RecordPlace(null, path);
  }

  /** A ConfigMap of the Kubernetes cluster that the process runs in. */
  public static RecordPlace configMap(String namespace, String name) {
    return new RecordPlace(Objects.requireNonNull(namespace, "namespace"), name);
  }

  /**
   * A store for this place. It does nothing before it is asked to.
   *
   * @throws IllegalStateException for a ConfigMap, if this process does not run in a pod; the
   *     message is one sentence for the user
   */
  public RecordStore open() {
    return namespace == null
        ? new FileRecordStore(Path.of(name))
        : new KubernetesRecordStore(namespace, name, ClusterAccess.ofThisPod());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RecordPlace
        && Objects.equals(namespace, ((RecordPlace) other).namespace)
        && name.equals(((RecordPlace) other).name);
  }

  @Override
  public int hashCode() {
    return Objects.hash(namespace, name);
  }

  /** For people: {@code the ConfigMap "orders/orders-configmap"}. */
  @Override
  public String toString() {
    return namespace == null
        ? "the directory \"" + name + "\""
        : "the ConfigMap \"" + namespace + "/" + name + "\"";
  }
}
