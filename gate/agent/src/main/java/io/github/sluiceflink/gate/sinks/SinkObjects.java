package io.github.sluiceflink.gate.sinks;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.streaming.api.operators.AbstractUdfStreamOperator;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperatorFactory;

/** The sinks as users built them, taken out of the operators that carry them. */
final class SinkObjects {

  private SinkObjects() {}

  /** The sink of an operator, and the sinks that are wrapped in it, the outermost first. */
  static List<Object> of(StreamNode node) {
    List<Object> found = new ArrayList<>();
    StreamOperatorFactory<?> factory = node.getOperatorFactory();
    if (factory instanceof SimpleOperatorFactory) {
      Object operator = ((SimpleOperatorFactory<?>) factory).getOperator();
      if (operator instanceof AbstractUdfStreamOperator) {
        found.add(((AbstractUdfStreamOperator<?, ?>) operator).getUserFunction());
      }
    } else if (factory != null) {
      addWrapped(factory, found);
    }
    return found;
  }

  private static void addWrapped(Object holder, List<Object> found) {
    for (Class<?> type = holder.getClass(); type != null; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (Sink.class.isAssignableFrom(field.getType())
            || field.getType().isAssignableFrom(Sink.class)
            || field.getType().isInterface()) {
          Object value = read(field, holder).orElse(null);
          if (value instanceof Sink && found.stream().noneMatch(it -> it == value)) {
            found.add(value);
            addWrapped(value, found);
          }
        }
      }
    }
  }

  private static Optional<Object> read(Field field, Object holder) {
    try {
      field.setAccessible(true);
      return Optional.ofNullable(field.get(holder));
    } catch (ReflectiveOperationException | RuntimeException e) {
      // A field of the JDK or of a sealed module: no sink of a user is in there.
      return Optional.empty();
    }
  }
}
