package io.github.sluiceflink.gate.sinks;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.flink.api.dag.Transformation;

/** The transformations of a program. */
final class Program {

  private Program() {}

  /**
   * All transformations that lead to the given ones, and these, by id. Each is visited once,
   * however many ways lead to it.
   *
   * @param ends where to begin
   * @param outside where to stop; what it holds for is left out
   */
  static Map<Integer, Transformation<?>> before(
      Collection<? extends Transformation<?>> ends, Predicate<Transformation<?>> outside) {
    Map<Integer, Transformation<?>> found = new HashMap<>();
    Deque<Transformation<?>> open = new ArrayDeque<>(ends);
    while (!open.isEmpty()) {
      Transformation<?> next = open.pop();
      if (!outside.test(next) && found.put(next.getId(), next) == null) {
        open.addAll(next.getInputs());
      }
    }
    return found;
  }
}
