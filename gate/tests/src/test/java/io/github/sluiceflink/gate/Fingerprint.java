package io.github.sluiceflink.gate;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.util.StringUtils;

/**
 * A program that prints everything about a graph that Flink would act on: its plan, its ids, its
 * configuration.
 */
final class Fingerprint {

  private Fingerprint() {}

  /**
   * Prints it.
   *
   * @param arguments a directory, then "key=value,..." of Flink's configuration for each graph
   */
  public static void main(String[] arguments) {
    for (int i = 1; i < arguments.length; i++) {
      CountingJob job =
          new CountingJob("A", Path.of(arguments[0])).to(EnumSet.allOf(CountingJob.Sink.class));
      for (String pair : arguments[i].split(",")) {
        job.with(pair.split("=")[0], pair.split("=")[1]);
      }
      print(job.graph());
    }
  }

  private static void print(StreamGraph graph) {
    System.out.println(graph.getStreamingPlanAsJSON());
    Map<Integer, byte[]> ids =
        new TreeMap<>(new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph));
    ids.forEach(
        (node, id) ->
            System.out.println(
                node
                    + " "
                    + StringUtils.byteToHexString(id)
                    + " "
                    + graph.getStreamNode(node).getOperatorName()));
    Map<String, String> configuration = new TreeMap<>(graph.getJobConfiguration().toMap());
    // The planner puts the time of day in.
    configuration.keySet().removeIf(key -> key.startsWith("__table.query-start."));
    System.out.println(configuration);
    System.out.println(graph.getSavepointRestoreSettings());
  }
}
