package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.sinks.SqlSinks;
import java.util.function.BiConsumer;
import org.apache.flink.api.dag.Transformation;

/** The hook of {@link SqlSinkAdvice}. */
public final class SqlSinkTranslated implements BiConsumer<Object, Object> {
  @Override
  public void accept(Object input, Object sink) {
    SqlSinks.add((Transformation<?>) input, (Transformation<?>) sink);
  }
}
