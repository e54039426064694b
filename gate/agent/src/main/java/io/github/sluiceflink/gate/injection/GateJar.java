package io.github.sluiceflink.gate.injection;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;

/**
 * The classes of the gate, as a jar of their own that travels with the job: TaskManagers get it the
 * way they get the job's. It lies in the agent's jar, and is written to a file once for a JVM.
 */
public final class GateJar {

  private static final String RESOURCE = "bluegreen-agent-gate.jar";

  private static String url;
  private static byte[] digest;

  private GateJar() {}

  /** Lets a job that is submitted with this configuration take it along, once. */
  static void addTo(Configuration configuration) {
    List<String> jars = jars(configuration);
    if (!jars.contains(url())) {
      jars.add(url());
      configuration.set(PipelineOptions.JARS, jars);
    }
  }

  /** Takes it out again, for a job that has no gate; the configuration is the environment's. */
  static synchronized void removeFrom(Configuration configuration) {
    List<String> jars = jars(configuration);
    if (url != null && jars.remove(url)) {
      if (jars.isEmpty()) {
        configuration.removeConfig(PipelineOptions.JARS);
      } else {
        configuration.set(PipelineOptions.JARS, jars);
      }
    }
  }

  private static List<String> jars(Configuration configuration) {
    return new ArrayList<>(configuration.getOptional(PipelineOptions.JARS).orElse(List.of()));
  }

  /** Whether this is the digest, in Flink's BLOB store, of the jar that a job takes along. */
  public static synchronized boolean isOf(byte[] digest) {
    return Arrays.equals(GateJar.digest, digest);
  }

  private static synchronized String url() {
    if (url == null) {
      try (InputStream resource = GateJar.class.getResourceAsStream(RESOURCE)) {
        if (resource == null) {
          throw new IllegalStateException("bluegreen-agent.jar was built without " + RESOURCE);
        }
        DigestInputStream jar = new DigestInputStream(resource, sha1());
        Path file = Files.createTempFile("bluegreen-gate-", ".jar");
        file.toFile().deleteOnExit();
        Files.copy(jar, file, StandardCopyOption.REPLACE_EXISTING);
        digest = jar.getMessageDigest().digest();
        url = file.toUri().toURL().toString();
      } catch (IOException e) {
        throw new UncheckedIOException("The classes of the gate cannot be written to a file", e);
      }
    }
    return url;
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-1, which Flink's BLOB store uses", e);
    }
  }
}
