package io.github.sluiceflink.ledger;

import java.nio.file.Path;
import java.util.OptionalLong;

/** What the job was asked to do on its command line. */
final class LedgerArguments {
  static final String USAGE =
      "Usage: --input DIRECTORY --output DIRECTORY [--splits 4] [--label v1]"
          + " [--in-event-time-order] [--checkpoint-interval-ms N] [--fail-at-start]"
          + " [--fail-after N]";

  private Path input;
  private Path output;
  private int splits = 4;
  private String label = "v1";
  private OptionalLong checkpointIntervalMillis = OptionalLong.empty();
  private boolean inEventTimeOrder;
  private boolean failAtStart;
  private long failAfter;

  private LedgerArguments() {}

  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException if it is not as {@link #USAGE} says; the message says where
   */
  static LedgerArguments parse(String... args) {
    LedgerArguments parsed = new LedgerArguments();
    int position = 0;
    while (position < args.length) {
      String name = args[position];
      position++;
      if (name.equals("--in-event-time-order")) {
        parsed.inEventTimeOrder = true;
        continue;
      }
      if (name.equals("--fail-at-start")) {
        parsed.failAtStart = true;
        continue;
      }
      if (position == args.length) {
        throw new IllegalArgumentException("The argument " + name + " has no value. " + USAGE);
      }
      parsed.set(name, args[position]);
      position++;
    }
    if (parsed.input == null || parsed.output == null) {
      throw new IllegalArgumentException(
          "The argument "
              + (parsed.input == null ? "--input" : "--output")
              + " is missing. "
              + USAGE);
    }
    return parsed;
  }

  private void set(String name, String value) {
    switch (name) {
      case "--input":
        input = Path.of(value).toAbsolutePath();
        break;
      case "--output":
        output = Path.of(value).toAbsolutePath();
        break;
      case "--splits":
        splits = Math.toIntExact(positive(name, value));
        break;
      case "--label":
        label = value;
        break;
      case "--checkpoint-interval-ms":
        checkpointIntervalMillis = OptionalLong.of(positive(name, value));
        break;
      case "--fail-after":
        failAfter = positive(name, value);
        break;
      default:
        throw new IllegalArgumentException("There is no argument " + name + ". " + USAGE);
    }
  }

  private static long positive(String name, String value) {
    try {
      long number = Long.parseLong(value);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, as for a number that is too small.
    }
    throw new IllegalArgumentException(
        "The argument "
            + name
            + " is \""
            + value
            + "\"; it must be a whole number above 0. "
            + USAGE);
  }

  Path input() {
    return input;
  }

  Path output() {
    return output;
  }

  int splits() {
    return splits;
  }

  String label() {
    return label;
  }

  /** Empty: as Flink's own configuration says. */
  OptionalLong checkpointIntervalMillis() {
    return checkpointIntervalMillis;
  }

  /** Whether an account is booked on in the order of event time, and not as the events come. */
  boolean inEventTimeOrder() {
    return inEventTimeOrder;
  }

  boolean failAtStart() {
    return failAtStart;
  }

  /** 0: never. */
  long failAfter() {
    return failAfter;
  }
}
