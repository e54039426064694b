package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The record as a directory of files, one for each of its last versions;
 * contract/record-directory.md is what both languages keep to.
 */
final class RecordDirectory {

  /** How many versions stay. A writer that slept through more of them must not be believed. */
  static final int KEPT = 16;

  private static final Pattern VERSION = Pattern.compile("[0-9]{20}\\.json");
  private static final String UNFINISHED = ".unfinished-";

  private final Path directory;

  RecordDirectory(Path directory) {
    this.directory = directory;
  }

  /** A version of the record. */
  static final class Version {
    final long number;
    final SortedMap<String, String> data;
    final HandoverRecord handover;

    Version(long number, SortedMap<String, String> data, HandoverRecord handover) {
      this.number = number;
      this.data = data;
      this.handover = handover;
    }
  }

  Path path() {
    return directory;
  }

  /** The newest version; none if there is none, or no directory. */
  Optional<Version> newest() throws IOException, UnreadableRecordException {
    while (true) {
      long newest = highest();
      if (newest == 0) {
        return Optional.empty();
      }
      try {
        SortedMap<String, String> data = data(newest);
        return Optional.of(new Version(newest, data, RecordCodec.decode(data)));
      } catch (NoSuchFileException e) {
        // So many were written meanwhile that it was removed: the newest is another by now.
      }
    }
  }

  /**
   * Writes the next version.
   *
   * @param expected the version that has to be the newest; 0 if there must be none
   * @return the version written
   * @throws IOException if nothing is known of the write
   */
  long write(long expected, HandoverRecord handover) throws IOException, WriteRefusedException {
    if (expected == 0) {
      Files.createDirectories(directory);
    }
    refuseUnless(expected, highest());
    SortedMap<String, String> there = new TreeMap<>();
    if (expected != 0) {
      try {
        there = data(expected);
      } catch (NoSuchFileException e) {
        refuseUnless(expected, highest());
        throw e;
      }
    }
    return link(expected, RecordJson.replaced(there, handover));
  }

  private long link(long expected, Map<String, String> data)
      throws IOException, WriteRefusedException {
    long version = expected + 1;
    Path unfinished = directory.resolve(UNFINISHED + UUID.randomUUID());
    try {
      try (FileChannel file =
          FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(RecordJson.write(data));
        while (bytes.hasRemaining()) {
          file.write(bytes);
        }
        file.force(true);
      }
      try {
        Files.createLink(file(version), unfinished);
      } catch (FileAlreadyExistsException e) {
        throw refused(expected, Math.max(highest(), version));
      }
    } finally {
      Files.deleteIfExists(unfinished);
    }
    NavigableSet<Long> there = versions();
    if (!there.isEmpty() && there.last() >= version + KEPT) {
      // The name may have been free only because that version had been there and was removed.
      throw new IOException(
          "nothing is known of the write of version "
              + version
              + " in "
              + directory
              + ", because version "
              + there.last()
              + " is there by now");
    }
    forceDirectory();
    removeOld(there);
    return version;
  }

  /** So that the new name outlives a loss of power, too. */
  private void forceDirectory() throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** The oldest first: a version that is there has all later ones beside it. */
  private void removeOld(NavigableSet<Long> there) throws IOException {
    for (long version : there) {
      if (version > there.last() - KEPT) {
        return;
      }
      Files.deleteIfExists(file(version));
    }
  }

  private void refuseUnless(long expected, long found) throws WriteRefusedException {
    if (found != expected) {
      throw refused(expected, found);
    }
  }

  private WriteRefusedException refused(long expected, long found) {
    return new WriteRefusedException(
        "the handover record in "
            + directory
            + " is in version "
            + found
            + ", and not in version "
            + expected
            + " any more, for which the write was made");
  }

  private SortedMap<String, String> data(long version) throws IOException {
    Path file = file(version);
    byte[] bytes = Files.readAllBytes(file);
    try {
      return RecordJson.read(bytes);
    } catch (IOException e) {
      throw new IOException(
          file + " is " + e.getMessage() + ", and has to be an object in JSON with strings", e);
    }
  }

  /** The newest version; 0 if there is none. */
  private long highest() throws IOException {
    NavigableSet<Long> there = versions();
    return there.isEmpty() ? 0 : there.last();
  }

  private NavigableSet<Long> versions() throws IOException {
    NavigableSet<Long> versions = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if (VERSION.matcher(name).matches()) {
          versions.add(Long.parseLong(name.substring(0, 20)));
        }
      }
    } catch (NoSuchFileException e) {
      return versions;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return versions;
  }

  private Path file(long version) {
    return directory.resolve(String.format(Locale.ROOT, "%020d.json", version));
  }
}
