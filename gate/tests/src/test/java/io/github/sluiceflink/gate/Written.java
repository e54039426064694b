package io.github.sluiceflink.gate;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** What sinks of these tests were given, by the name of the sink. Jobs and tests share a JVM. */
final class Written {

  private static final Map<String, Collection<String>> LINES = new ConcurrentHashMap<>();

  private Written() {}

  static void add(String sink, String line) {
    LINES.computeIfAbsent(sink, it -> new ConcurrentLinkedQueue<>()).add(line);
  }

  static Collection<String> to(String sink) {
    return LINES.computeIfAbsent(sink, it -> new ConcurrentLinkedQueue<>());
  }
}
