package io.github.sluiceflink.gate.agent;

import java.util.function.BiConsumer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * The hook of {@link GraphSubmittedAdvice}. It is given the graph and the configuration of the
 * environment that submits it.
 */
public final class GraphSubmitted implements BiConsumer<Object, Object> {
  @Override
  public void accept(Object graph, Object configuration) {
    if (graph != null) {
      Generated.check((StreamGraph) graph, (Configuration) configuration);
    }
  }
}
