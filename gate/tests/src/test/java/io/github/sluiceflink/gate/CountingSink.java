package io.github.sluiceflink.gate;

import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** A sink that is a writer and nothing else; it tells the test of every line. */
final class CountingSink implements StringSink {

  private final String name;

  CountingSink(String name) {
    this.name = name;
  }

  @Override
  public SinkWriter<String> createWriter(WriterInitContext context) {
    return new Writer(name);
  }

  private static final class Writer implements SinkWriter<String> {
    private final String name;

    Writer(String name) {
      this.name = name;
    }

    @Override
    public void write(String line, Context context) {
      Written.add(name, line);
    }

    @Override
    public void flush(boolean endOfInput) {}

    @Override
    public void close() {}
  }
}
