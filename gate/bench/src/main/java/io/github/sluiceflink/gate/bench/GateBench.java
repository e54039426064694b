package io.github.sluiceflink.gate.bench;

import java.nio.file.Path;

/**
 * Measures one thing: {@code records|handovers <rounds> <file for the figures>}, or {@code requests
 * <parallelism> <file for the figures> <namespace> <ConfigMap>}.
 */
public final class GateBench {

  private GateBench() {}

  /** Starts it. */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 3) {
      throw new IllegalArgumentException(
          "expected what to measure, how often, and a file for the figures");
    }
    int rounds = Integer.parseInt(arguments[1]);
    Figures figures = new Figures(Path.of(arguments[2]));
    switch (arguments[0]) {
      case "records":
        RecordCosts.measure(rounds, figures);
        break;
      case "handovers":
        Handovers.measure(rounds, figures);
        break;
      case "requests":
        Handovers.measure(arguments[3], arguments[4], rounds, figures);
        break;
      default:
        throw new IllegalArgumentException("there is nothing to measure named " + arguments[0]);
    }
    // Flink leaves threads behind that are no daemons.
    System.exit(0);
  }
}
