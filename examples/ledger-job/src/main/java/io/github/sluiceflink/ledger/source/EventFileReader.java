package io.github.sluiceflink.ledger.source;

import io.github.sluiceflink.ledger.LedgerEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.core.io.InputStatus;

/**
 * Follows the event files of one subtask for ever, in turns. Everything but the timer runs in the
 * task's own thread, so a checkpoint always falls between two events.
 */
final class EventFileReader implements SourceReader<LedgerEvent, EventFileSplit> {
  private static final long LOOK_AGAIN_MILLIS = 20;

  private final Path directory;
  private final List<Followed> files = new ArrayList<>();
  private ScheduledExecutorService timer;
  private int turn;

  EventFileReader(Path directory) {
    this.directory = directory;
  }

  @Override
  public void start() {
    timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "event-file-timer");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public InputStatus pollNext(ReaderOutput<LedgerEvent> output) throws IOException {
    // Every file takes part in the watermark from the first moment on, also one without events:
    // else a file that is opened a little later would find its events late.
    for (Followed file : files) {
      if (file.output == null) {
        file.output = output.createOutputForSplit(file.tail.position().splitId());
      }
    }
    for (int tried = 0; tried < files.size(); tried++) {
      Followed file = files.get(turn);
      turn = (turn + 1) % files.size();
      LedgerEvent event = file.tail.next();
      if (event != null) {
        file.output.collect(event, event.eventTime);
        return InputStatus.MORE_AVAILABLE;
      }
    }
    return InputStatus.NOTHING_AVAILABLE;
  }

  @Override
  public CompletableFuture<Void> isAvailable() {
    CompletableFuture<Void> available = new CompletableFuture<>();
    timer.schedule(() -> available.complete(null), LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    return available;
  }

  @Override
  public List<EventFileSplit> snapshotState(long checkpointId) {
    List<EventFileSplit> splits = new ArrayList<>(files.size());
    for (Followed file : files) {
      splits.add(file.tail.position());
    }
    return splits;
  }

  @Override
  public void addSplits(List<EventFileSplit> splits) {
    for (EventFileSplit split : splits) {
      files.add(new Followed(new EventFileTail(directory, split)));
    }
  }

  @Override
  public void notifyNoMoreSplits() {
    // The files are followed for ever.
  }

  @Override
  public void close() throws IOException {
    if (timer != null) {
      timer.shutdownNow();
    }
    for (Followed file : files) {
      file.tail.close();
    }
  }

  /** One file, and where its events and its watermark go. */
  private static final class Followed {
    private final EventFileTail tail;
    private SourceOutput<LedgerEvent> output;

    private Followed(EventFileTail tail) {
      this.tail = tail;
    }
  }
}
