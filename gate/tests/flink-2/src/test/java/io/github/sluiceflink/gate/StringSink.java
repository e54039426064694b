package io.github.sluiceflink.gate;

import org.apache.flink.api.connector.sink2.Sink;

/** A sink of text. */
interface StringSink extends Sink<String> {}
