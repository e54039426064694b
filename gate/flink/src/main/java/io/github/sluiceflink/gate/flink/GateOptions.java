package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Rules;
import io.github.sluiceflink.gate.record.RecordPlace;
import java.io.Serializable;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;

/** What a job's configuration says of its gates: {@code bluegreen.*}. */
public final class GateOptions implements Serializable {

  /** Where gates are put ({@code bluegreen.gate.injection.position}). */
  public enum Position {
    /** Before the first operator of every sink. */
    BEFORE_SINK,
    /** After every source; only where everything behind it has no state. */
    AFTER_SOURCE
  }

  /** How the job is handed over ({@code bluegreen.gate.strategy}). */
  public enum Strategy {
    /** At a cut in event time, by gates. */
    WATERMARK,
    /** At the barrier of a savepoint, without gates. */
    SAVEPOINT
  }

  public static final ConfigOption<Boolean> INJECTION_ENABLED =
      ConfigOptions.key("bluegreen.gate.injection.enabled").booleanType().defaultValue(false);

  public static final ConfigOption<Position> INJECTION_POSITION =
      ConfigOptions.key("bluegreen.gate.injection.position")
          .enumType(Position.class)
          .defaultValue(Position.BEFORE_SINK);

  public static final ConfigOption<Strategy> STRATEGY =
      ConfigOptions.key("bluegreen.gate.strategy")
          .enumType(Strategy.class)
          .defaultValue(Strategy.WATERMARK);

  public static final ConfigOption<String> EXTRACTOR_CLASS =
      ConfigOptions.key("bluegreen.gate.watermark.extractor-class").stringType().noDefaultValue();

  public static final ConfigOption<String> FIELD_PATH =
      ConfigOptions.key("bluegreen.gate.watermark.field-path").stringType().noDefaultValue();

  public static final ConfigOption<String> FIELD_NAME =
      ConfigOptions.key("bluegreen.gate.watermark.field-name").stringType().noDefaultValue();

  public static final ConfigOption<Integer> FIELD_INDEX =
      ConfigOptions.key("bluegreen.gate.watermark.field-index").intType().noDefaultValue();

  public static final ConfigOption<MemorySize> KEPT_RECORDS_MAX_BYTES =
      ConfigOptions.key("bluegreen.gate.kept-records.max-bytes")
          .memoryType()
          .defaultValue(MemorySize.ofMebiBytes(64));

  public static final ConfigOption<Duration> HOLD_TIMEOUT =
      ConfigOptions.key("bluegreen.gate.hold-timeout")
          .durationType()
          .defaultValue(Duration.ofMinutes(1));

  public static final ConfigOption<Duration> START_TIMEOUT =
      ConfigOptions.key("bluegreen.gate.start-timeout")
          .durationType()
          .defaultValue(Duration.ofMinutes(10));

  public static final ConfigOption<Duration> DEPOSED_TIMEOUT =
      ConfigOptions.key("bluegreen.gate.deposed-timeout")
          .durationType()
          .defaultValue(Duration.ofSeconds(30));

  public static final ConfigOption<Duration> MAX_CUT_LEAD =
      ConfigOptions.key("bluegreen.gate.max-cut-lead")
          .durationType()
          .defaultValue(Duration.ofHours(1));

  public static final ConfigOption<Rules.LateRecords> LATE_RECORDS =
      ConfigOptions.key("bluegreen.gate.late-records")
          .enumType(Rules.LateRecords.class)
          .defaultValue(Rules.LateRecords.BOTH);

  public static final ConfigOption<Rules.Ordering> ORDERING =
      ConfigOptions.key("bluegreen.gate.ordering")
          .enumType(Rules.Ordering.class)
          .defaultValue(Rules.Ordering.OVERLAP);

  public static final ConfigOption<Duration> REPORT_INTERVAL =
      ConfigOptions.key("bluegreen.gate.report-interval")
          .durationType()
          .defaultValue(Duration.ofSeconds(1));

  /** This job's colour; the name is FLIP-504's. */
  public static final ConfigOption<String> COLOR =
      ConfigOptions.key("bluegreen.active-deployment-type").stringType().noDefaultValue();

  public static final ConfigOption<String> CONFIGMAP_NAME =
      ConfigOptions.key("bluegreen.configmap.name").stringType().noDefaultValue();

  public static final ConfigOption<String> CONFIGMAP_NAMESPACE =
      ConfigOptions.key("bluegreen.configmap.namespace").stringType().noDefaultValue();

  public static final ConfigOption<String> HANDOVER_DIRECTORY =
      ConfigOptions.key("bluegreen.handover.directory").stringType().noDefaultValue();

  /** The epoch that this job was created for. */
  public static final ConfigOption<Long> HANDOVER_EPOCH =
      ConfigOptions.key("bluegreen.handover.epoch").longType().noDefaultValue();

  public static final ConfigOption<Boolean> AWAIT_SAVEPOINT =
      ConfigOptions.key("bluegreen.handover.await-savepoint").booleanType().defaultValue(false);

  private static final long serialVersionUID = 1L;

  private final boolean enabled;
  private final Position position;
  private final Strategy strategy;
  private final String extractorClass;
  private final String fieldPath;
  private final String fieldName;
  private final Integer fieldIndex;
  private final long keptRecordsMaxBytes;
  private final Duration holdTimeout;
  private final Duration startTimeout;
  private final Duration deposedTimeout;
  private final Duration maxCutLead;
  private final Duration reportInterval;
  private final Rules rules;
  private final String color;
  private final String configMapName;
  private final String configMapNamespace;
  private final String directory;
  private final Long epoch;
  private final boolean awaitSavepoint;

  private GateOptions(ReadableConfig config) {
    this.enabled = config.get(INJECTION_ENABLED);
    this.position = config.get(INJECTION_POSITION);
    this.strategy = config.get(STRATEGY);
    this.extractorClass = config.getOptional(EXTRACTOR_CLASS).orElse(null);
    this.fieldPath = config.getOptional(FIELD_PATH).orElse(null);
    this.fieldName = config.getOptional(FIELD_NAME).orElse(null);
    this.fieldIndex = config.getOptional(FIELD_INDEX).orElse(null);
    this.keptRecordsMaxBytes = config.get(KEPT_RECORDS_MAX_BYTES).getBytes();
    this.holdTimeout = positive(config, HOLD_TIMEOUT);
    this.startTimeout = positive(config, START_TIMEOUT);
    this.deposedTimeout = positive(config, DEPOSED_TIMEOUT);
    this.maxCutLead = positive(config, MAX_CUT_LEAD);
    this.reportInterval = positive(config, REPORT_INTERVAL);
    this.rules = Rules.of(config.get(ORDERING), config.get(LATE_RECORDS));
    this.color = config.getOptional(COLOR).orElse(null);
    this.configMapName = config.getOptional(CONFIGMAP_NAME).orElse(null);
    this.configMapNamespace = config.getOptional(CONFIGMAP_NAMESPACE).orElse(null);
    this.directory = config.getOptional(HANDOVER_DIRECTORY).orElse(null);
    this.epoch = config.getOptional(HANDOVER_EPOCH).orElse(null);
    this.awaitSavepoint = config.get(AWAIT_SAVEPOINT);
  }

  /**
   * Reads the options.
   *
   * @throws IllegalArgumentException if one has a value that it cannot have; the message names it
   */
  public static GateOptions from(ReadableConfig config) {
    return new GateOptions(config);
  }

  private static Duration positive(ReadableConfig config, ConfigOption<Duration> option) {
    Duration value = config.get(option);
    if (value.toMillis() <= 0) {
      throw new IllegalArgumentException(
          option.key() + " is " + value + "; give a duration of a millisecond or more");
    }
    return value;
  }

  /** Whether gates are put into this job. */
  public boolean enabled() {
    return enabled;
  }

  public Position position() {
    return position;
  }

  public Strategy strategy() {
    return strategy;
  }

  public Optional<String> extractorClass() {
    return Optional.ofNullable(extractorClass);
  }

  public Optional<String> fieldPath() {
    return Optional.ofNullable(fieldPath);
  }

  public Optional<String> fieldName() {
    return Optional.ofNullable(fieldName);
  }

  public Optional<Integer> fieldIndex() {
    return Optional.ofNullable(fieldIndex);
  }

  /** How much each subtask of a gate may keep before it holds its input back, in bytes. */
  public long keptRecordsMaxBytes() {
    return keptRecordsMaxBytes;
  }

  public Duration holdTimeout() {
    return holdTimeout;
  }

  public Duration startTimeout() {
    return startTimeout;
  }

  /**
   * How long a JobManager waits whose gates another one has taken over, until it is sure to be the
   * one that is left: longer than one that has lost its leadership goes on.
   */
  public Duration deposedTimeout() {
    return deposedTimeout;
  }

  public Duration maxCutLead() {
    return maxCutLead;
  }

  public Duration reportInterval() {
    return reportInterval;
  }

  public Rules rules() {
    return rules;
  }

  /**
   * Where the handover record is: the directory if one is named, otherwise the ConfigMap.
   *
   * @throws IllegalArgumentException if the configuration names neither
   */
  public RecordPlace recordPlace() {
    if (directory != null) {
      return RecordPlace.directory(directory);
    }
    if (configMapName == null || configMapNamespace == null) {
      throw new IllegalArgumentException(
          (configMapName == null ? CONFIGMAP_NAME.key() : CONFIGMAP_NAMESPACE.key())
              + " is not set; a gated job needs it to find its handover record, and the operator"
              + " writes it (for local runs there is "
              + HANDOVER_DIRECTORY.key()
              + ")");
    }
    return RecordPlace.configMap(configMapNamespace, configMapName);
  }

  /** Whether this job waits, before it is submitted, for the savepoint that the record names. */
  public boolean awaitSavepoint() {
    return awaitSavepoint;
  }

  /**
   * This job, as the handover record knows it.
   *
   * @throws IllegalArgumentException if the configuration does not say it
   */
  public Job job() {
    if (color == null || epoch == null) {
      throw new IllegalArgumentException(
          (color == null ? COLOR.key() : HANDOVER_EPOCH.key())
              + " is not set; a gated job needs it, and the operator writes it");
    }
    for (Color known : Color.values()) {
      if (known.name().equals(color.toUpperCase(Locale.ROOT))) {
        return Job.of(known, epoch);
      }
    }
    throw new IllegalArgumentException(COLOR.key() + " is " + color + "; it is BLUE or GREEN");
  }
}
