package io.github.sluiceflink.gate.bench;

import org.apache.flink.api.connector.sink2.Sink;

/** A sink of numbers. */
interface LongSink extends Sink<Long> {}
