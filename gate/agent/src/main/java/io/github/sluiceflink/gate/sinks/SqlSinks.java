package io.github.sluiceflink.gate.sinks;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.dag.Transformation;

/**
 * What the SQL planner made for sinks. A connector like the filesystem's makes ordinary operators,
 * which nothing in the graph tells from those of the query.
 *
 * <p>The planner translates long before it is known what is wanted of the job. So its sinks are
 * only remembered then, without keeping them alive, and looked at when they are asked for.
 */
public final class SqlSinks {

  private static final Queue<Known> KNOWN = new ConcurrentLinkedQueue<>();

  private final Map<Integer, SqlSink> byOperator;
  private final List<SqlSink> sinks = new ArrayList<>();
  private final List<SqlSink> conversions = new ArrayList<>();
  private final List<Transformation<?>> queries = new ArrayList<>();

  private SqlSinks(Map<Integer, SqlSink> byOperator) {
    this.byOperator = byOperator;
  }

  /**
   * Remembers one sink.
   *
   * @param input what the query ends in
   * @param sink what the planner made of it and the connector
   * @param insertOnly whether the query only ever inserts
   * @param rowtime the column that holds the event time of a row, or less than 0
   */
  public static void add(
      Transformation<?> input, Transformation<?> sink, boolean insertOnly, int rowtime) {
    KNOWN.removeIf(known -> known.sink.get() == null);
    KNOWN.add(new Known(input, sink, new SqlSink(sink.getName(), insertOnly, rowtime)));
  }

  /** Those of one program. */
  static SqlSinks in(Map<Integer, Transformation<?>> program) {
    Set<Integer> inputs = new HashSet<>();
    program.values().forEach(it -> it.getInputs().forEach(input -> inputs.add(input.getId())));
    SqlSinks found = new SqlSinks(new HashMap<>());
    for (Known known : KNOWN) {
      Transformation<?> end = known.sink.get();
      Transformation<?> query = known.input.get();
      // Ids are unique in a JVM, but what they stand for is compared, to be sure.
      if (end == null || query == null || program.get(end.getId()) != end) {
        continue;
      }
      if (inputs.contains(end.getId())) {
        // To the planner, what leads from a table to a DataStream is a sink as well.
        found.conversions.add(known.properties);
      } else {
        found.sinks.add(known.properties);
        found.queries.add(query);
        Program.before(List.of(end), it -> it == query)
            .keySet()
            .forEach(id -> found.byOperator.put(id, known.properties));
      }
    }
    return found;
  }

  /** Whether a transformation belongs to a SQL sink. */
  boolean contains(int transformation) {
    return byOperator.containsKey(transformation);
  }

  /** The SQL sink that a transformation belongs to, or null. */
  SqlSink of(int transformation) {
    return byOperator.get(transformation);
  }

  /** All of them. */
  List<SqlSink> all() {
    return sinks;
  }

  /** What the queries end in that the sinks were put on. */
  List<Transformation<?>> queries() {
    return queries;
  }

  /** Where a table becomes a DataStream, and the program goes on. */
  List<SqlSink> conversions() {
    return conversions;
  }

  private static final class Known {
    private final WeakReference<Transformation<?>> input;
    private final WeakReference<Transformation<?>> sink;
    private final SqlSink properties;

    Known(Transformation<?> input, Transformation<?> sink, SqlSink properties) {
      this.input = new WeakReference<>(input);
      this.sink = new WeakReference<>(sink);
      this.properties = properties;
    }
  }
}
