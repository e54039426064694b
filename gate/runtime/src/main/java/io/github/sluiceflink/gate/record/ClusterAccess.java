package io.github.sluiceflink.gate.record;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/** Where the API server is, and where the credentials of this process are. */
final class ClusterAccess {

  /** A system property: the URL of the API server, where it is not the pod's. */
  static final String ADDRESS = "bluegreen.kubernetes.address";

  /** A system property: the directory with {@code token} and {@code ca.crt}. */
  static final String SERVICE_ACCOUNT = "bluegreen.kubernetes.service-account-directory";

  private static final String OF_A_POD = "/var/run/secrets/kubernetes.io/serviceaccount";

  private final URI address;
  private final Path serviceAccount;

  ClusterAccess(URI address, Path serviceAccount) {
    this.address = address;
    this.serviceAccount = serviceAccount;
  }

  /**
   * That of the pod that this process runs in.
   *
   * @throws IllegalStateException if it runs in none; the message is one sentence for the user
   */
  static ClusterAccess ofThisPod() {
    return of(System.getenv(), System.getProperties());
  }

  static ClusterAccess of(Map<String, String> environment, Properties properties) {
    Path serviceAccount = Path.of(properties.getProperty(SERVICE_ACCOUNT, OF_A_POD));
    String address = properties.getProperty(ADDRESS);
    if (address != null) {
      return new ClusterAccess(URI.create(address), serviceAccount);
    }
    String host = environment.get("KUBERNETES_SERVICE_HOST");
    String port = environment.get("KUBERNETES_SERVICE_PORT");
    if (host == null || port == null) {
      throw new IllegalStateException(
          "a handover record in a ConfigMap needs a process in a pod, and KUBERNETES_SERVICE_HOST "
              + "and KUBERNETES_SERVICE_PORT are not set: use a directory for the record instead");
    }
    String literal = host.contains(":") ? "[" + host + "]" : host;
    return new ClusterAccess(URI.create("https://" + literal + ":" + port), serviceAccount);
  }

  URI address() {
    return address;
  }

  Path authority() {
    return serviceAccount.resolve("ca.crt");
  }

  /**
   * The token as it is now: the kubelet replaces it before it expires.
   *
   * @throws OutageException if it cannot be read
   */
  String token() throws OutageException {
    Path file = serviceAccount.resolve("token");
    try {
      return Files.readString(file, StandardCharsets.US_ASCII).trim();
    } catch (IOException e) {
      throw new OutageException(
          "the token of the service account cannot be read from "
              + file
              + " ("
              + e
              + "): give the pod one, with automountServiceAccountToken",
          e);
    }
  }
}
