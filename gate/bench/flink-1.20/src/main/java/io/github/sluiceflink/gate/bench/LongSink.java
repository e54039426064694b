package io.github.sluiceflink.gate.bench;

import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;

/** A sink of numbers. Flink 1.20 still asks for a method that it no longer calls. */
interface LongSink extends Sink<Long> {
  @Override
  default SinkWriter<Long> createWriter(InitContext context) {
    throw new UnsupportedOperationException("the other one is called");
  }
}
