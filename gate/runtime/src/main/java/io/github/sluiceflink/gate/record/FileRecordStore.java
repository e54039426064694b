package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** The record in a directory of files: for local runs, and for tests. */
final class FileRecordStore implements RecordStore {

  /** For a directory that does not tell of changes, such as one of a network. */
  private static final long POLL_MS = 1000;

  private final RecordDirectory directory;
  private final ExecutorService writing;
  private Thread watching;
  private boolean closed;

  FileRecordStore(Path directory) {
    this.directory = new RecordDirectory(directory);
    this.writing =
        Executors.newSingleThreadExecutor(task -> daemon(task, "handover-record-writing"));
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public synchronized void watch(Listener listener) {
    if (closed) {
      throw new IllegalStateException("the store of " + directory.path() + " was closed");
    }
    if (watching != null) {
      throw new IllegalStateException(directory.path() + " is watched already");
    }
    watching = daemon(() -> watchUntilClosed(new Telling(listener)), "handover-record-watch");
    watching.start();
  }

  private void watchUntilClosed(Telling telling) {
    try (WatchService service = directory.path().getFileSystem().newWatchService()) {
      WatchKey key = null;
      while (!Thread.currentThread().isInterrupted()) {
        if (key == null || !key.reset()) {
          key = register(service);
        }
        tell(telling);
        service.poll(POLL_MS, TimeUnit.MILLISECONDS);
        if (key != null) {
          key.pollEvents();
        }
      }
    } catch (InterruptedException | ClosedWatchServiceException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      telling.trouble(e.toString());
    }
  }

  private WatchKey register(WatchService service) {
    try {
      return directory.path().register(service, StandardWatchEventKinds.ENTRY_CREATE);
    } catch (IOException e) {
      return null;
    }
  }

  private void tell(Telling telling) {
    try {
      Optional<RecordDirectory.Version> newest = directory.newest();
      if (newest.isPresent()) {
        telling.read(newest.get().number, newest.get().handover);
      } else {
        telling.absent();
      }
    } catch (UnreadableRecordException e) {
      telling.trouble(e.getMessage());
    } catch (IOException e) {
      telling.trouble(e.toString());
    }
  }

  @Override
  public CompletableFuture<Long> write(
      long expected, HandoverRecord read, Color color, Change change) {
    return put(expected, read.with(color, change));
  }

  @Override
  public CompletableFuture<Long> put(long expected, HandoverRecord handover) {
    CompletableFuture<Long> written = new CompletableFuture<>();
    try {
      writing.execute(() -> write(expected, handover, written));
    } catch (RejectedExecutionException e) {
      written.completeExceptionally(
          new IOException("the store of " + directory.path() + " was closed", e));
    }
    return written;
  }

  private void write(long expected, HandoverRecord handover, CompletableFuture<Long> written) {
    try {
      written.complete(directory.write(expected, handover));
    } catch (IOException | WriteRefusedException | RuntimeException e) {
      written.completeExceptionally(e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    writing.shutdown();
    if (watching != null) {
      watching.interrupt();
    }
  }
}
