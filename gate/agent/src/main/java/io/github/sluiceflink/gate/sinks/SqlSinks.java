package io.github.sluiceflink.gate.sinks;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.flink.api.dag.Transformation;

/**
 * The transformations that the SQL planner made for sinks. A connector like the filesystem's makes
 * ordinary operators, which nothing in the graph tells from those of the query.
 */
public final class SqlSinks {

  /** Ids of transformations are unique in a JVM; the references are there to forget the gone. */
  private static final Map<Integer, WeakReference<Transformation<?>>> KNOWN =
      new ConcurrentHashMap<>();

  private SqlSinks() {}

  /**
   * Remembers one sink.
   *
   * @param input what the query ends in
   * @param sink what the planner made of it and the connector
   */
  public static void add(Transformation<?> input, Transformation<?> sink) {
    KNOWN.values().removeIf(reference -> reference.get() == null);
    Set<Integer> query =
        input.getTransitivePredecessors().stream()
            .map(Transformation::getId)
            .collect(Collectors.toSet());
    for (Transformation<?> transformation : sink.getTransitivePredecessors()) {
      if (!query.contains(transformation.getId())) {
        KNOWN.put(transformation.getId(), new WeakReference<>(transformation));
      }
    }
  }

  static boolean contains(int transformation) {
    return KNOWN.containsKey(transformation);
  }
}
