package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.hold.HeldBack;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * The hook of {@link GraphGeneratedAdvice}. It is given the graph, the list of transformations that
 * it was made from, and the configuration with which it is going to be submitted.
 */
public final class GraphGenerated implements Consumer<Object[]> {
  @Override
  public void accept(Object[] generated) {
    StreamGraph graph = (StreamGraph) generated[0];
    List<Transformation<?>> transformations = new ArrayList<>();
    for (Object transformation : (List<?>) generated[1]) {
      transformations.add((Transformation<?>) transformation);
    }
    Configuration configuration = (Configuration) generated[2];
    HeldBack.await(graph, configuration);
    Submission.prepare(graph, transformations, configuration);
    Generated.remember(graph, configuration);
  }
}
