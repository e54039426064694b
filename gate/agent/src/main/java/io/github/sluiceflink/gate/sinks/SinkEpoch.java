package io.github.sluiceflink.gate.sinks;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;

/**
 * Which state the sinks of a job go on with. A job has one number through all its restarts and
 * after a stop with a savepoint; a job that is forked off a running one has a larger number. 0 is a
 * job that Sluice has not forked: its sinks have the ids that Flink gives them.
 */
public final class SinkEpoch {

  /** The number, given by the operator; none is 0. */
  public static final ConfigOption<String> EPOCH =
      ConfigOptions.key("bluegreen.sinks.epoch").stringType().noDefaultValue();

  /** Whether the number is to have an effect. */
  public static final ConfigOption<Boolean> FORK_SAFE =
      ConfigOptions.key("bluegreen.sinks.fork-safe").booleanType().defaultValue(true);

  private SinkEpoch() {}

  /**
   * The sink epoch that a job is configured with.
   *
   * @return 0 if there is none, or if it is to have no effect
   * @throws SubmissionRefused if it is not a whole number of 0 or more
   */
  public static long of(ReadableConfig configuration) {
    String text = configuration.getOptional(EPOCH).map(String::trim).orElse("");
    if (text.isEmpty() || !configuration.get(FORK_SAFE)) {
      return 0;
    }
    try {
      long epoch = Long.parseLong(text);
      if (epoch >= 0) {
        return epoch;
      }
    } catch (NumberFormatException e) {
      // Told below, with every other thing that is no epoch.
    }
    throw new SubmissionRefused(
        EPOCH.key() + " is \"" + text + "\"; it has to be a whole number of 0 or more.");
  }
}
