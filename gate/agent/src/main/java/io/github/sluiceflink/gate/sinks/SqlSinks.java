package io.github.sluiceflink.gate.sinks;

import java.lang.ref.WeakReference;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.dag.Transformation;

/**
 * The transformations that the SQL planner made for sinks. A connector like the filesystem's makes
 * ordinary operators, which nothing in the graph tells from those of the query.
 *
 * <p>The planner translates long before it is known whether the job has a sink epoch. So its sinks
 * are only remembered then, without keeping them alive, and looked at when they are asked for.
 */
public final class SqlSinks {

  private static final Queue<SqlSinks> KNOWN = new ConcurrentLinkedQueue<>();

  private final WeakReference<Transformation<?>> input;
  private final WeakReference<Transformation<?>> sink;

  private SqlSinks(Transformation<?> input, Transformation<?> sink) {
    this.input = new WeakReference<>(input);
    this.sink = new WeakReference<>(sink);
  }

  /**
   * Remembers one sink.
   *
   * @param input what the query ends in
   * @param sink what the planner made of it and the connector
   */
  public static void add(Transformation<?> input, Transformation<?> sink) {
    KNOWN.removeIf(known -> known.sink.get() == null);
    KNOWN.add(new SqlSinks(input, sink));
  }

  /** The ids of those transformations of a program that belong to SQL sinks. */
  static Set<Integer> in(Map<Integer, Transformation<?>> program) {
    Set<Integer> ids = new HashSet<>();
    for (SqlSinks known : KNOWN) {
      Transformation<?> end = known.sink.get();
      Transformation<?> query = known.input.get();
      // Ids are unique in a JVM, but what they stand for is compared, to be sure.
      if (end != null && query != null && program.get(end.getId()) == end) {
        ids.addAll(Program.before(List.of(end), it -> it == query).keySet());
      }
    }
    return ids;
  }
}
