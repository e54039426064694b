package io.github.sluiceflink.gate.cluster;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A Python with PyFlink, made once for each version of Flink with the user's own pip. The package
 * with Flink's jars is left out: they are in the distribution.
 */
final class PythonPackages {

  /** What {@code import pyflink.table} needs. */
  private static final List<String> FOR_TABLES =
      List.of("py4j==0.10.9.7", "typing_extensions", "ruamel.yaml");

  /** What a function in Python needs, by the beginning of Flink's version. */
  private static final Map<String, String> BEAM = Map.of("1.", "2.48.0", "2.", "2.61.0");

  private PythonPackages() {}

  /** A Python for programs that have no function in Python: some 50 MB. */
  static Path forTables(Distribution flink) throws Exception {
    List<String> packages = new ArrayList<>(FOR_TABLES);
    packages.add("apache-flink==" + flink);
    return python("pyflink-" + flink, List.of("--no-deps"), packages);
  }

  /** A Python for all programs: some 600 MB. */
  static Path forFunctions(Distribution flink) throws Exception {
    String version = flink.version();
    String beam = BEAM.get(version.substring(0, 2));
    // pip would fetch Flink's jars as well, so what PyFlink requires is named here.
    return python(
        "pyflink-functions-" + flink,
        List.of("--prefer-binary"),
        List.of(
            "apache-beam==" + beam,
            "protobuf",
            "numpy<2",
            "pandas<2.3",
            "pyarrow<17",
            "fastavro",
            // The two have the same modules; PyFlink 1.20 reads a name that only the older one has.
            version.startsWith("1.") ? "avro-python3==1.10.2" : "avro",
            "cloudpickle",
            "ruamel.yaml",
            "setuptools<82",
            "typing_extensions",
            FOR_TABLES.get(0)),
        List.of("apache-flink==" + flink));
  }

  @SafeVarargs
  private static Path python(String name, List<String> options, List<String>... rounds)
      throws Exception {
    Path directory = Files.createDirectories(Distribution.cache().resolve("python")).resolve(name);
    Path python = directory.resolve("bin").resolve("python");
    Path complete = directory.resolve("complete");
    Path lock = directory.resolveSibling(name + ".lock");
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      if (!held.isValid() || Files.exists(complete)) {
        return python;
      }
      run(List.of(base(), "-m", "venv", "--clear", directory.toString()));
      for (int round = 0; round < rounds.length; round++) {
        List<String> command =
            new ArrayList<>(List.of(python.toString(), "-m", "pip", "install", "--quiet"));
        command.addAll(round == 0 ? options : List.of("--no-deps"));
        command.addAll(rounds[round]);
        run(command);
      }
      Files.createFile(complete);
    }
    return python;
  }

  private static String base() {
    String own = System.getenv("SLUICE_PYTHON");
    return own == null || own.isEmpty() ? "python3" : own;
  }

  private static void run(List<String> command) throws IOException, InterruptedException {
    int code = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (code != 0) {
      throw new AssertionError(
          String.join(" ", command)
              + " failed; the tests of PyFlink need a Python that both PyFlink 1.20 and 2.3 know (3.9"
              + " to 3.11), python3 or the one in SLUICE_PYTHON, and pip's package index");
    }
  }
}
