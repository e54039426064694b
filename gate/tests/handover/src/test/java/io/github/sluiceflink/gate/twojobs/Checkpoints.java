package io.github.sluiceflink.gate.twojobs;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Checkpoints and savepoints as they lie on the disk. */
final class Checkpoints {

  private Checkpoints() {}

  /** The newest completed checkpoint of a job, as a person looks for it after a crash. */
  static Optional<String> newest(Path directory, String job) throws IOException {
    Path all = directory.resolve(job);
    if (!Files.isDirectory(all)) {
      return Optional.empty();
    }
    try (Stream<Path> found = Files.list(all)) {
      return found
          .filter(it -> it.getFileName().toString().startsWith("chk-"))
          .filter(it -> Files.exists(it.resolve("_metadata")))
          .max(Comparator.comparingLong(Checkpoints::number))
          .map(it -> it.toUri().toString());
    }
  }

  private static long number(Path checkpoint) {
    return Long.parseLong(checkpoint.getFileName().toString().substring("chk-".length()));
  }

  /** The number that Flink gave to a savepoint: it stands at the begin of its metadata. */
  static long idOf(String savepoint) throws IOException {
    Path metadata = Path.of(URI.create(savepoint)).resolve("_metadata");
    try (DataInputStream in = new DataInputStream(Files.newInputStream(metadata))) {
      int magic = in.readInt();
      int version = in.readInt();
      if (magic != 0x4960672d || version < 3) {
        throw new IOException(metadata + " is no savepoint of a version that is known here");
      }
      return in.readLong();
    }
  }
}
