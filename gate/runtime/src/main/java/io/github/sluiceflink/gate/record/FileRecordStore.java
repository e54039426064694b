package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The record in a directory of files: for local runs, and for tests. */
final class FileRecordStore extends ThreadedStore {

  /** For a file system that does not tell of changes, such as one of a network. */
  private static final long POLL_MS = 1000;

  /** While the system cannot be asked to tell of changes. */
  private static final long SHORT_POLL_MS = 100;

  private final RecordDirectory directory;
  private volatile Thread waiting;
  private Optional<Telling> telling = Optional.empty();
  private long known;

  FileRecordStore(Path directory) {
    super("the directory \"" + directory + "\"");
    this.directory = new RecordDirectory(directory);
  }

  @Override
  void begin(Telling begun) {
    telling = Optional.of(begun);
    waiting = daemon(this::waitForChanges, "handover-record-watch");
    waiting.start();
  }

  /** The thread that waits; it does nothing else. */
  private void waitForChanges() {
    try (WatchService service = directory.path().getFileSystem().newWatchService()) {
      WatchKey key = null;
      Object watched = null;
      while (run(this::look)) {
        if (key == null || !key.reset() || !Objects.equals(watched, identity())) {
          if (key != null) {
            key.cancel();
          }
          watched = identity();
          key = register(service);
          run(this::look);
        }
        service.poll(key == null ? SHORT_POLL_MS : POLL_MS, TimeUnit.MILLISECONDS);
        if (key != null) {
          key.pollEvents();
        }
      }
    } catch (ClosedWatchServiceException | InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // The system gives no more watches to this user.
      pollUntilClosed();
    }
  }

  private void pollUntilClosed() {
    try {
      while (run(this::look)) {
        Thread.sleep(SHORT_POLL_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Another one under the same path is another directory. */
  private Object identity() {
    try {
      return Files.readAttributes(directory.path(), BasicFileAttributes.class).fileKey();
    } catch (IOException e) {
      return null;
    }
  }

  private WatchKey register(WatchService service) {
    try {
      return directory.path().register(service, StandardWatchEventKinds.ENTRY_CREATE);
    } catch (IOException e) {
      return null;
    }
  }

  private void look() {
    telling.ifPresent(this::look);
  }

  private void look(Telling listener) {
    try {
      Optional<RecordDirectory.Version> newest = directory.newest();
      if (newest.isPresent() && newest.get().number < known) {
        // A list of files made while one is added may lack it; two such lists in a row are to be
        // believed: somebody began anew.
        newest = directory.newest();
      }
      known = newest.map(it -> it.number).orElse(0L);
      if (newest.isPresent()) {
        listener.read(known, newest.get().handover);
      } else {
        listener.absent();
      }
    } catch (UnreadableRecordException e) {
      listener.trouble(e.getMessage() + " (in " + place() + ")");
    } catch (IOException e) {
      listener.trouble(e.getMessage());
    }
  }

  @Override
  CompletableFuture<Long> carryOut(
      long expected, Optional<HandoverRecord> read, HandoverRecord next) {
    try {
      return CompletableFuture.completedFuture(directory.write(expected, next));
    } catch (IOException | WriteRefusedException e) {
      return CompletableFuture.failedFuture(e);
    } finally {
      // What is told is told before the answer.
      look();
    }
  }

  @Override
  void end() {
    Thread thread = waiting;
    if (thread != null) {
      thread.interrupt();
    }
  }
}
