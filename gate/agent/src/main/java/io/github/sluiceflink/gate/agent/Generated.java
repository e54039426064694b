package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.injection.GateInjection;
import io.github.sluiceflink.gate.sinks.SinkEpoch;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.WeakHashMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.graph.StreamGraph;

/**
 * What a graph was prepared for when it was generated. A program can get its graph, change it, and
 * submit it later, with another environment even; what was decided would then not hold. So it is
 * checked once more when the graph is submitted.
 */
final class Generated {

  private static final String OURS = "bluegreen.";

  private static final Map<StreamGraph, Generated> GRAPHS =
      Collections.synchronizedMap(new WeakHashMap<>());

  private final Map<String, String> settings;
  private final Optional<String> reason;

  /** Only where something was put in; a job that only waits for its turn may be any. */
  private final Optional<Shape> shape;

  private Generated(StreamGraph graph, Configuration configuration) {
    settings = settings(configuration);
    reason = reason(configuration);
    shape =
        reason
            .filter(key -> !key.equals(GateOptions.AWAIT_SAVEPOINT.key()))
            .map(it -> new Shape(graph));
  }

  /** Remembers a graph as it is now, with the settings that it was prepared by. */
  static void remember(StreamGraph graph, Configuration configuration) {
    GRAPHS.put(graph, new Generated(graph, configuration));
  }

  /**
   * Checks that a graph is still the one that was generated, for the settings that it is submitted
   * with. Jobs that ask for nothing, then or now, are not looked at.
   *
   * @throws SubmissionRefused if it is not
   */
  static void check(StreamGraph graph, Configuration configuration) {
    Optional<String> now = reason(configuration);
    Generated generated = GRAPHS.get(graph);
    if (generated == null) {
      now.ifPresent(Generated::refuseUnknown);
      return;
    }
    if (now.isEmpty() && generated.reason.isEmpty()) {
      return;
    }
    generated.refuseOtherSettings(settings(configuration));
    generated
        .shape
        .flatMap(before -> new Shape(graph).changeSince(before))
        .ifPresent(change -> refuseChange(change, generated.reason.get()));
    GateInjection.takeAlong(graph, configuration);
  }

  /** The key that asks for something to be done to a graph, if there is one. */
  private static Optional<String> reason(Configuration configuration) {
    if (GateInjection.isWanted(configuration)) {
      return Optional.of(GateOptions.INJECTION_ENABLED.key());
    }
    if (SinkEpoch.of(configuration) != 0) {
      return Optional.of(SinkEpoch.EPOCH.key());
    }
    return configuration.get(GateOptions.AWAIT_SAVEPOINT)
        ? Optional.of(GateOptions.AWAIT_SAVEPOINT.key())
        : Optional.empty();
  }

  private static Map<String, String> settings(Configuration configuration) {
    Map<String, String> settings = new TreeMap<>(configuration.toMap());
    settings.keySet().removeIf(key -> !key.startsWith(OURS));
    return settings;
  }

  private static void refuseUnknown(String key) {
    throw new SubmissionRefused(
        key
            + " is set, but the graph of this job was not generated from a program by Flink in this"
            + " process, so nothing could be put in; let StreamExecutionEnvironment generate it, or"
            + " remove the key.");
  }

  private void refuseOtherSettings(Map<String, String> now) {
    TreeSet<String> keys = new TreeSet<>(settings.keySet());
    keys.addAll(now.keySet());
    for (String key : keys) {
      if (!Objects.equals(settings.get(key), now.get(key))) {
        throw new SubmissionRefused(
            "The graph of this job was generated when "
                + key
                + " was "
                + settings.getOrDefault(key, "not set")
                + ", but is submitted when it is "
                + now.getOrDefault(key, "not set")
                + "; set it before the graph is generated, and submit the graph with the same"
                + " configuration.");
      }
    }
  }

  private static void refuseChange(String change, String key) {
    throw new SubmissionRefused(
        "The graph of this job is not as Flink has generated it: "
            + change
            + ", after it was decided what "
            + key
            + " asks for; make the change in the program, before getStreamGraph() is called.");
  }
}
