package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * What both places have in common: one thread on which everything happens, and the pace at which
 * failures are reported. Whoever is told of a failure tries again at once, so a failure that
 * follows another is told after a pause; the pause is over as soon as the record can be read again.
 */
abstract class ThreadedStore implements RecordStore {

  private final String place;
  private final ScheduledThreadPoolExecutor thread;
  private final Set<CompletableFuture<Long>> open = ConcurrentHashMap.newKeySet();
  private final Pause pause = new Pause();
  private List<Runnable> failures = new ArrayList<>();
  private boolean failedLast;
  private Telling telling;
  private boolean closed;

  /**
   * @param place what it is a store of, as in "the ConfigMap ..."
   */
  ThreadedStore(String place) {
    this.place = place;
    this.thread = new ScheduledThreadPoolExecutor(1, task -> daemon(task, "handover-record"));
    thread.setRemoveOnCancelPolicy(true);
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  static Thread daemon(Runnable task, String name) {
    Thread made = new Thread(task, name);
    made.setDaemon(true);
    return made;
  }

  /** Begins to watch; called on the store's thread. */
  abstract void begin(Telling telling);

  /**
   * Writes; called on the store's thread.
   *
   * @param read the record in the expected version, if it is known
   */
  abstract CompletableFuture<Long> carryOut(
      long expected, Optional<HandoverRecord> read, HandoverRecord next);

  @Override
  public final synchronized void watch(Listener listener) {
    if (closed) {
      throw new IllegalStateException("the store of " + place + " was closed");
    }
    if (telling != null) {
      throw new IllegalStateException(place + " is watched already by this store");
    }
    Telling begun = new Telling(listener);
    telling = begun;
    run(() -> begin(begun));
  }

  @Override
  public final CompletableFuture<Long> write(
      long expected, HandoverRecord read, Color color, Change change) {
    HandoverRecord next = read.with(color, change);
    if (next.equals(read)) {
      return CompletableFuture.failedFuture(
          new WriteRefusedException("the change would leave the handover record as it is"));
    }
    return submit(() -> carryOut(expected, Optional.of(read), next));
  }

  @Override
  public final CompletableFuture<Long> put(long expected, HandoverRecord handover) {
    return submit(() -> carryOut(expected, Optional.empty(), handover));
  }

  private CompletableFuture<Long> submit(Supplier<CompletableFuture<Long>> work) {
    CompletableFuture<Long> answer = new CompletableFuture<>();
    open.add(answer);
    answer.whenComplete((version, problem) -> open.remove(answer));
    Runnable begin =
        () -> {
          try {
            work.get()
                .whenComplete((version, problem) -> run(() -> finish(answer, version, problem)));
          } catch (RuntimeException e) {
            answer.completeExceptionally(e);
          }
        };
    if (!run(begin)) {
      answer.completeExceptionally(wasClosed());
    }
    return answer;
  }

  private void finish(CompletableFuture<Long> answer, Long version, Throwable problem) {
    Throwable cause = problem instanceof CompletionException ? problem.getCause() : problem;
    if (cause == null) {
      failedLast = false;
      pause.reset();
      answer.complete(version);
    } else if (cause instanceof WriteRefusedException) {
      answer.completeExceptionally(cause);
    } else {
      long asked = cause instanceof OutageException ? ((OutageException) cause).pauseMs() : 0;
      long waits = Math.max(asked, failedLast ? pause.next() : 0);
      failedLast = true;
      Runnable tell = () -> answer.completeExceptionally(cause);
      if (waits == 0) {
        tell.run();
      } else {
        failures.add(tell);
        later(waits, tell);
      }
    }
  }

  /** The record could be read: whoever waits for another attempt to write need wait no longer. */
  final void reached() {
    List<Runnable> waiting = failures;
    failures = new ArrayList<>();
    waiting.forEach(Runnable::run);
  }

  /** Runs it on the store's thread; false if the store was closed. */
  final boolean run(Runnable task) {
    try {
      thread.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /** Runs it on the store's thread after so many milliseconds, if the store is not closed then. */
  final void later(long milliseconds, Runnable task) {
    try {
      thread.schedule(task, milliseconds, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // It was closed: there is nothing to do any more.
    }
  }

  final synchronized boolean isClosed() {
    return closed;
  }

  final String place() {
    return place;
  }

  /** Ends what is under way in the subclass; called once, by the thread that closes. */
  abstract void end();

  @Override
  public final void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      if (telling != null) {
        telling.close();
      }
    }
    thread.shutdownNow();
    end();
    for (CompletableFuture<Long> answer : open) {
      answer.completeExceptionally(wasClosed());
    }
  }

  private IOException wasClosed() {
    return new IOException(
        "nothing is known of the write, because the store of " + place + " was closed");
  }
}
