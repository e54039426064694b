package io.github.sluiceflink.ledger.source;

import io.github.sluiceflink.ledger.LedgerEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * Reads the events of one growing file, line by line. A line counts when its line feed is there:
 * what a writer has written of a line so far is left until the rest has come.
 */
final class EventFileTail implements AutoCloseable {
  private static final int CHUNK_BYTES = 64 * 1024;
  private static final byte LINE_FEED = '\n';

  private final Path file;
  private final int index;
  private FileChannel channel;

  /** File position of the next line that has not been handed out. */
  private long offset;

  private long lastSequence;

  /** Bytes from {@link #offset} on that are already in memory: {@code chunk[start..end]}. */
  private byte[] chunk = new byte[CHUNK_BYTES];

  private int start;
  private int end;

  EventFileTail(Path directory, EventFileSplit split) {
    this.file = directory.resolve(split.fileName());
    this.index = split.index();
    this.offset = split.offset();
    this.lastSequence = split.lastSequence();
  }

  /** Where reading stands: exactly behind the last event that {@link #next()} returned. */
  EventFileSplit position() {
    return new EventFileSplit(index, offset, lastSequence);
  }

  /** The next event, or null when there is no further complete line for now. */
  LedgerEvent next() throws IOException {
    int lineFeed = indexOfLineFeed(start);
    while (lineFeed < 0) {
      int searched = end - start;
      if (!readMore()) {
        return null;
      }
      lineFeed = indexOfLineFeed(start + searched);
    }
    String line = new String(chunk, start, lineFeed - start, StandardCharsets.UTF_8);
    LedgerEvent event = parse(line);
    offset += lineFeed + 1L - start;
    start = lineFeed + 1;
    lastSequence = event.sequence;
    return event;
  }

  private LedgerEvent parse(String line) throws IOException {
    LedgerEvent event;
    try {
      event = LedgerEvent.parse(index, line);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " at byte " + offset + ": " + e.getMessage(), e);
    }
    if (lastSequence != EventFileSplit.NOTHING_READ && event.sequence != lastSequence + 1) {
      throw new IOException(
          file
              + " at byte "
              + offset
              + ": the event has sequence number "
              + event.sequence
              + ", after "
              + lastSequence
              + " must come "
              + (lastSequence + 1)
              + ".");
    }
    return event;
  }

  private int indexOfLineFeed(int from) {
    for (int i = from; i < end; i++) {
      if (chunk[i] == LINE_FEED) {
        return i;
      }
    }
    return -1;
  }

  /** Reads what the file has beyond the chunk; false if there is nothing. */
  private boolean readMore() throws IOException {
    if (channel == null) {
      if (!Files.exists(file)) {
        return false;
      }
      channel = FileChannel.open(file, StandardOpenOption.READ);
    }
    if (channel.size() < offset) {
      throw new IOException(
          file
              + " has "
              + channel.size()
              + " bytes, but was read up to byte "
              + offset
              + ": an event file may only grow.");
    }
    if (start > 0) {
      System.arraycopy(chunk, start, chunk, 0, end - start);
      end -= start;
      start = 0;
    }
    if (end == chunk.length) {
      chunk = Arrays.copyOf(chunk, chunk.length * 2);
    }
    int read = channel.read(ByteBuffer.wrap(chunk, end, chunk.length - end), offset + end);
    if (read <= 0) {
      return false;
    }
    end += read;
    return true;
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
