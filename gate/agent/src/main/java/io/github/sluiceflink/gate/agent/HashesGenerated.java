package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.sinks.OperatorIds;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.flink.streaming.api.graph.StreamGraph;

/** The hook of {@link HashesGeneratedAdvice}: puts in the ids that the graph itself carries. */
public final class HashesGenerated implements BiConsumer<Object, Map<Integer, byte[]>> {
  @Override
  public void accept(Object graph, Map<Integer, byte[]> hashes) {
    OperatorIds.of(((StreamGraph) graph).getJobConfiguration()).replaceIn(hashes);
  }
}
