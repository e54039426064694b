package io.github.sluiceflink.gate.bench;

import io.github.sluiceflink.gate.handover.Color;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Tells {@link Seen} what it gets. */
final class SeenSink implements LongSink {

  private static final long serialVersionUID = 1L;

  private final Color color;

  SeenSink(Color color) {
    this.color = color;
  }

  @Override
  public SinkWriter<Long> createWriter(WriterInitContext context) {
    return new SinkWriter<Long>() {
      @Override
      public void write(Long record, Context context) {
        Seen.record(color, record);
      }

      @Override
      public void flush(boolean endOfInput) {}

      @Override
      public void close() {}
    };
  }
}
