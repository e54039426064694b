package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
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
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * The record as a directory of files, one for each of its last versions. Both languages keep to
 * contract/record-directory.md.
 */
final class RecordDirectory {

  /** How many versions stay. A writer that slept through more of them must not be believed. */
  static final int KEPT = 16;

  private static final Pattern VERSION = Pattern.compile("[0-9]{20}\\.json");
  private static final int DIGITS = 20;
  private static final String UNFINISHED = ".unfinished-";
  private static final long ABANDONED_AFTER_MS = TimeUnit.HOURS.toMillis(1);

  private final Path directory;

  RecordDirectory(Path directory) {
    this.directory = directory;
  }

  /** A version of the record. */
  static final class Version {
    final long number;
    final HandoverRecord handover;

    Version(long number, HandoverRecord handover) {
      this.number = number;
      this.handover = handover;
    }
  }

  Path path() {
    return directory;
  }

  /**
   * The newest version; none if there is none.
   *
   * @throws IOException whose message is one sentence for the user
   */
  Optional<Version> newest() throws IOException, UnreadableRecordException {
    while (true) {
      long newest = highest();
      if (newest == 0) {
        return Optional.empty();
      }
      try {
        return Optional.of(new Version(newest, RecordCodec.decode(data(newest))));
      } catch (NoSuchFileException e) {
        // So many were written meanwhile that it was removed: the newest is another by now.
      }
    }
  }

  /**
   * Writes the next version. Keys of the version before that are not the record's stay.
   *
   * @param expected the version that has to be the newest; 0 if there must be none
   * @return the version written
   * @throws IOException if nothing is known of the write; its message is one sentence for the user
   */
  long write(long expected, HandoverRecord handover) throws IOException, WriteRefusedException {
    if (expected == 0) {
      makeDirectory();
    }
    refuseUnless(expected, highest());
    SortedMap<String, String> there = new TreeMap<>();
    if (expected != 0) {
      try {
        there = data(expected);
      } catch (NoSuchFileException e) {
        throw refused(expected, highest());
      }
    }
    return link(expected, RecordJson.replaced(there, handover));
  }

  private void makeDirectory() throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new OutageException(
          "the directory " + directory + " cannot be made (" + reason(e) + ")", e);
    }
  }

  /** For tests, too: what is left to do after the look at the directory. */
  long link(long expected, Map<String, String> data) throws IOException, WriteRefusedException {
    long version = expected + 1;
    Path unfinished = directory.resolve(UNFINISHED + UUID.randomUUID());
    try {
      writeAndForce(unfinished, RecordJson.write(data));
      // The condition: of those who make this name, one succeeds.
      Files.createLink(file(version), unfinished);
    } catch (FileAlreadyExistsException e) {
      throw refused(expected, Math.max(highest(), version));
    } catch (IOException e) {
      throw notWritten(version, reason(e), e);
    } finally {
      removeIfPossible(unfinished);
    }
    NavigableSet<Long> there = versions();
    if (!there.isEmpty() && there.last() >= version + KEPT) {
      // The name may have been free only because that version had been there and was removed.
      throw notWritten(version, "version " + there.last() + " is there by now", null);
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      // So that the new name outlives a loss of power, too.
      channel.force(true);
    } catch (IOException e) {
      throw notWritten(version, reason(e), e);
    }
    removeOld(there);
    return version;
  }

  private static void writeAndForce(Path file, byte[] json) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(json);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  private OutageException notWritten(long version, String reason, IOException cause) {
    return new OutageException(
        "nothing is known of the write of version "
            + version
            + " of the handover record in "
            + directory
            + " ("
            + reason
            + ")",
        cause);
  }

  /** The oldest first, so that none is missing between two that are there. */
  private void removeOld(NavigableSet<Long> there) {
    for (long version : there.headSet(there.last() - KEPT, true)) {
      removeIfPossible(file(version));
    }
    long now = System.currentTimeMillis();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, UNFINISHED + "*")) {
      for (Path entry : entries) {
        if (now - Files.getLastModifiedTime(entry).toMillis() > ABANDONED_AFTER_MS) {
          removeIfPossible(entry);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // Another writer removes them.
    }
  }

  private static void removeIfPossible(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It is in nobody's way, and the next writer tries again.
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
            + ", and the write was made for version "
            + expected);
  }

  /**
   * @throws NoSuchFileException if that version is not there any more
   */
  private SortedMap<String, String> data(long version) throws IOException {
    Path file = file(version);
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw e;
    } catch (IOException e) {
      throw unreadable(file, reason(e), e);
    }
    try {
      return RecordJson.read(bytes);
    } catch (IOException e) {
      throw unreadable(
          file, "it is " + e.getMessage() + ", and has to be an object in JSON with strings", e);
    }
  }

  private static OutageException unreadable(Path path, String reason, IOException cause) {
    return new OutageException(
        "the handover record in " + path + " cannot be read (" + reason + ")", cause);
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
          number(name).ifPresent(versions::add);
        }
      }
    } catch (NoSuchFileException e) {
      throw new OutageException(
          "there is no directory " + directory + " with a handover record", e);
    } catch (IOException e) {
      throw unreadable(directory, reason(e), e);
    } catch (DirectoryIteratorException e) {
      throw unreadable(directory, reason(e.getCause()), e.getCause());
    }
    return versions;
  }

  /** Twenty digits hold more than a long; such a name is nobody's. */
  private static Optional<Long> number(String name) {
    try {
      return Optional.of(Long.parseLong(name.substring(0, DIGITS)));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "access to " + e.getMessage() + " is denied";
    }
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + " is not there";
    }
    if (e instanceof NotDirectoryException) {
      return "it is no directory";
    }
    String reason =
        e instanceof FileSystemException ? ((FileSystemException) e).getReason() : e.getMessage();
    return reason == null ? e.toString() : reason;
  }

  private Path file(long version) {
    return directory.resolve(String.format(Locale.ROOT, "%0" + DIGITS + "d.json", version));
  }
}
