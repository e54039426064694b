package io.github.sluiceflink.gate.injection;

import io.github.sluiceflink.gate.flink.GateOptions;
import io.github.sluiceflink.gate.sinks.SubmissionRefused;
import java.util.Collections;
import java.util.List;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;

/** What a job's configuration says of where its gates are put. */
final class InjectionOptions {

  /** Operators that write though they are no sinks: uids or names, as people see them. */
  static final ConfigOption<List<String>> OPERATORS =
      ConfigOptions.key("bluegreen.gate.injection.operators").stringType().asList().defaultValues();

  private InjectionOptions() {}

  /** Whether a job asks for gates at all; nothing else is looked at if not. */
  static boolean wantsGates(ReadableConfig configuration) {
    return read(() -> configuration.get(GateOptions.INJECTION_ENABLED))
        && read(() -> configuration.get(GateOptions.STRATEGY)) == GateOptions.Strategy.WATERMARK;
  }

  /**
   * What the gates of a job go by.
   *
   * @throws SubmissionRefused if a key has a value that it cannot have, or one is missing that
   *     tells the job its colour, its epoch or where its handover record is
   */
  static GateOptions of(ReadableConfig configuration) {
    GateOptions options = read(() -> GateOptions.from(configuration));
    read(options::job);
    read(options::recordPlace);
    return options;
  }

  /** Names in {@link #OPERATORS}. */
  static List<String> operators(ReadableConfig configuration) {
    return Collections.unmodifiableList(configuration.get(OPERATORS));
  }

  /** Flink names the key in the message and what is possible in its cause. */
  static <T> T read(java.util.function.Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      StringBuilder sentence = new StringBuilder(withoutStop(e.getMessage()));
      Throwable cause = e.getCause();
      if (cause != null && cause.getMessage() != null) {
        sentence.append(": ").append(withoutStop(cause.getMessage()));
      }
      throw new SubmissionRefused(sentence.append('.').toString(), e);
    }
  }

  private static String withoutStop(String message) {
    return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
  }
}
