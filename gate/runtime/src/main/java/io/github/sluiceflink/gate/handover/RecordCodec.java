package io.github.sluiceflink.gate.handover;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The wire form of the record: the data of a ConfigMap, a map of strings.
 *
 * <p>Keys that are not ours are left alone. FLIP-504's keys are written for people who watch them,
 * and never read, but for the two that the record holds.
 */
public final class RecordCodec {

  private static final String ACTIVE = "active";
  private static final String ACTIVE_CREATED_FOR = "active-created-for";
  private static final String ACTIVE_DEPLOYMENT_TYPE = "active-deployment-type";
  private static final String CUT = "cut";
  private static final String DEADLINE = "deadline";
  private static final String DELETION_DELAY = "deployment-deletion-delay-ms";
  private static final String EPOCH = "epoch";
  private static final String FORK_ATTEMPT = "fork-attempt";
  private static final String FORK_CHECKPOINT = "fork-checkpoint";
  private static final String HIGHEST = "highest";
  private static final String INCOMING_CREATED_FOR = "incoming-created-for";
  private static final String IS_FIRST = "is-first-deployment";
  private static final String PHASE = "phase";
  private static final String REASON = "reason";
  private static final String REPORT_BLUE = "report.blue";
  private static final String REPORT_GREEN = "report.green";
  private static final String SAVEPOINT = "savepoint";
  private static final String STAGE = "stage";

  /** Every key that is written. One that has no value in a record is to be removed. */
  public static final List<String> KEYS =
      List.of(
          ACTIVE,
          ACTIVE_CREATED_FOR,
          ACTIVE_DEPLOYMENT_TYPE,
          CUT,
          DEADLINE,
          DELETION_DELAY,
          EPOCH,
          FORK_ATTEMPT,
          FORK_CHECKPOINT,
          HIGHEST,
          INCOMING_CREATED_FOR,
          IS_FIRST,
          PHASE,
          REASON,
          REPORT_BLUE,
          REPORT_GREEN,
          SAVEPOINT,
          STAGE);

  private static final String NUMBER = "a whole number from 0 on";
  private static final String MILLISECONDS = "milliseconds since 1970";
  private static final String REPORT = "the JSON of a coordinator's report";

  /** Long.parseLong alone would read the digits of every script. */
  private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+");

  private static final Pattern FROM_ZERO_ON = Pattern.compile("\\+?[0-9]+");

  /** As the operator writes a time: with as many digits of a second as it has. */
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder().appendInstant(-1).toFormatter();

  private RecordCodec() {}

  /** The data that a record is written as. */
  public static SortedMap<String, String> encode(HandoverRecord handover) {
    SortedMap<String, String> data = new TreeMap<>();
    String active = handover.active().color().name();
    data.put(EPOCH, Long.toString(handover.epoch()));
    data.put(PHASE, handover.phase().name().name());
    handover.phase().cut().ifPresent(it -> data.put(CUT, Long.toString(it)));
    if (handover.phase().highest() != Times.NO_TIMESTAMP) {
      data.put(HIGHEST, Long.toString(handover.phase().highest()));
    }
    data.put(ACTIVE, active);
    data.put(ACTIVE_CREATED_FOR, Long.toString(handover.active().createdFor()));
    handover.incoming().ifPresent(it -> data.put(INCOMING_CREATED_FOR, Long.toString(it)));
    handover
        .fork()
        .ifPresent(
            fork -> {
              data.put(FORK_CHECKPOINT, Long.toString(fork.checkpoint()));
              data.put(FORK_ATTEMPT, Long.toString(fork.attempt()));
            });
    handover.savepoint().ifPresent(it -> data.put(SAVEPOINT, it));
    handover.deadline().ifPresent(it -> data.put(DEADLINE, TIME.format(it)));
    handover.reason().ifPresent(it -> data.put(REASON, ReasonJson.write(it)));
    handover.blue().ifPresent(it -> data.put(REPORT_BLUE, ReportJson.write(it)));
    handover.green().ifPresent(it -> data.put(REPORT_GREEN, ReportJson.write(it)));
    data.put(ACTIVE_DEPLOYMENT_TYPE, active);
    data.put(IS_FIRST, Boolean.toString(handover.firstDeployment()));
    data.put(DELETION_DELAY, Long.toString(handover.deletionDelayMs()));
    data.put(STAGE, Stage.of(handover.phase().name()).name());
    return Collections.unmodifiableSortedMap(data);
  }

  /** FLIP-504's names for where the handover stands. */
  enum Stage {
    INITIALIZING,
    TRANSITIONING,
    RUNNING,
    FAILING,
    CLEAR_TO_TEARDOWN;

    static Stage of(Phase.Name phase) {
      switch (phase) {
        case STABLE:
          return RUNNING;
        case STANDBY:
          return INITIALIZING;
        case PREPARE:
        case COMMIT:
          return TRANSITIONING;
        case SEALED:
          return CLEAR_TO_TEARDOWN;
        case ABORT:
          return FAILING;
        default:
          throw new AssertionError(phase);
      }
    }
  }

  /**
   * The record that the data of a ConfigMap holds.
   *
   * @throws UnreadableRecordException if a key is missing, or a value is not what it has to be
   */
  public static HandoverRecord decode(Map<String, String> data) throws UnreadableRecordException {
    return new Reader(data).handoverRecord();
  }

  /** Reads a value; whatever it throws at runtime means that the value is not what it has to be. */
  @FunctionalInterface
  interface Parser<T> {
    T parse(String text);
  }

  private static final class Reader {

    private final Map<String, String> data;

    Reader(Map<String, String> data) {
      this.data = data;
    }

    HandoverRecord handoverRecord() throws UnreadableRecordException {
      Phase phase = phase();
      Color color = required(ACTIVE, "BLUE or GREEN", Color::valueOf);
      return HandoverRecord.builder()
          .epoch(required(EPOCH, NUMBER, RecordCodec::number))
          .phase(phase)
          .active(Job.of(color, required(ACTIVE_CREATED_FOR, NUMBER, RecordCodec::number)))
          .incoming(number(INCOMING_CREATED_FOR))
          .fork(fork())
          .savepoint(Optional.ofNullable(data.get(SAVEPOINT)))
          .deadline(optional(DEADLINE, "a time such as 2026-01-31T12:00:00Z", RecordCodec::instant))
          .reason(optional(REASON, "the JSON of a reason", ReasonJson::read))
          .blue(optional(REPORT_BLUE, REPORT, ReportJson::read))
          .green(optional(REPORT_GREEN, REPORT, ReportJson::read))
          .firstDeployment(optional(IS_FIRST, "true or false", RecordCodec::truth).orElse(false))
          .deletionDelayMs(
              optional(DELETION_DELAY, "milliseconds, from 0 on", RecordCodec::number).orElse(0L))
          .build();
    }

    private Phase phase() throws UnreadableRecordException {
      long highest =
          optional(HIGHEST, MILLISECONDS, RecordCodec::milliseconds)
              .map(Times::eventTime)
              .orElse(Times.NO_TIMESTAMP);
      Optional<Long> cut = optional(CUT, MILLISECONDS, RecordCodec::milliseconds);
      Phase.Name name =
          required(
              PHASE,
              data.containsKey(PHASE)
                  ? "STABLE, STANDBY, PREPARE, COMMIT, SEALED or ABORT"
                  : "the name of a phase",
              Phase.Name::valueOf);
      switch (name) {
        case STABLE:
          return Phase.stable();
        case STANDBY:
          return Phase.standby(highest);
        case PREPARE:
          return cut.map(it -> Phase.prepare(highest, it)).orElseGet(() -> Phase.prepare(highest));
        case COMMIT:
          return Phase.commit(required(CUT, MILLISECONDS, RecordCodec::milliseconds));
        case SEALED:
          return Phase.sealed(required(CUT, MILLISECONDS, RecordCodec::milliseconds));
        case ABORT:
          return Phase.abort();
        default:
          throw new AssertionError(name);
      }
    }

    /** A fork without the attempt would be believed too much. */
    private Optional<Fork> fork() throws UnreadableRecordException {
      Optional<Long> checkpoint = optional(FORK_CHECKPOINT, NUMBER, RecordCodec::number);
      if (!checkpoint.isPresent()) {
        return Optional.empty();
      }
      long attempt = required(FORK_ATTEMPT, NUMBER, RecordCodec::number);
      return checkpoint.map(it -> Fork.of(it, attempt));
    }

    private OptionalLong number(String key) throws UnreadableRecordException {
      Optional<Long> number = optional(key, NUMBER, RecordCodec::number);
      return number.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }

    private <T> T required(String key, String expected, Parser<T> parser)
        throws UnreadableRecordException {
      Optional<T> value = optional(key, expected, parser);
      if (!value.isPresent()) {
        throw UnreadableRecordException.missing(key, expected);
      }
      return value.get();
    }

    private <T> Optional<T> optional(String key, String expected, Parser<T> parser)
        throws UnreadableRecordException {
      String found = data.get(key);
      if (found == null) {
        return Optional.empty();
      }
      try {
        return Optional.of(parser.parse(found));
      } catch (IllegalArgumentException | DateTimeException e) {
        throw UnreadableRecordException.unreadable(key, found, expected);
      }
    }
  }

  private static long milliseconds(String text) {
    return matching(WHOLE, text);
  }

  private static long number(String text) {
    return matching(FROM_ZERO_ON, text);
  }

  private static long matching(Pattern pattern, String text) {
    if (!pattern.matcher(text).matches()) {
      throw new NumberFormatException(text);
    }
    return Long.parseLong(text);
  }

  private static boolean truth(String text) {
    if (!Arrays.asList("true", "false").contains(text)) {
      throw new IllegalArgumentException(text);
    }
    return Boolean.parseBoolean(text);
  }

  private static Instant instant(String text) {
    return OffsetDateTime.parse(text).toInstant();
  }
}
