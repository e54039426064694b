package io.github.sluiceflink.gate;

import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;

/** A sink of text. Flink 1.20 still asks for a method that it no longer calls. */
interface StringSink extends Sink<String> {
  @Override
  default SinkWriter<String> createWriter(InitContext context) {
    throw new UnsupportedOperationException("the other one is called");
  }
}
