package io.github.sluiceflink.gate.cluster;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** A distribution of Flink as users have it, where {@code sluice flink install} puts it. */
record Distribution(String version, Path home) {

  /** The names of the methods below, for tests that run each version of them. */
  static final String ALL = "io.github.sluiceflink.gate.cluster.Distribution#all";

  static final String ONE = "io.github.sluiceflink.gate.cluster.Distribution#one";
  static final String TWO = "io.github.sluiceflink.gate.cluster.Distribution#two";

  /** The versions that the tests run. */
  static Stream<Distribution> all() {
    return Arrays.stream(System.getProperty("gate.flink.versions").trim().split(" +"))
        .map(Distribution::of);
  }

  /** Those whose ids are made where the job is submitted. */
  static Stream<Distribution> one() {
    return all().filter(flink -> flink.version().startsWith("1."));
  }

  /** Those whose ids are made in the JobMaster. */
  static Stream<Distribution> two() {
    return all().filter(flink -> !flink.version().startsWith("1."));
  }

  private static Distribution of(String version) {
    Path home = cache().resolve("flink").resolve("flink-" + version);
    if (!Files.isDirectory(home.resolve("bin"))) {
      throw new AssertionError(
          home + " is not there; install it with: sluice flink install " + version);
    }
    return new Distribution(version, home);
  }

  /** Where Sluice keeps what it fetches. */
  static Path cache() {
    String own = System.getenv("SLUICE_CACHE");
    if (own != null && !own.isEmpty()) {
      return Path.of(own);
    }
    String shared = System.getenv("XDG_CACHE_HOME");
    return shared != null && !shared.isEmpty()
        ? Path.of(shared, "sluice")
        : Path.of(System.getProperty("user.home"), ".cache", "sluice");
  }

  Path script(String name) {
    return home.resolve("bin").resolve(name);
  }

  Path pythonJar() {
    return home.resolve("opt").resolve("flink-python-" + version + ".jar");
  }

  @Override
  public String toString() {
    return version;
  }
}
