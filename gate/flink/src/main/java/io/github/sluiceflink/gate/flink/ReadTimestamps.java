package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Times;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.Optional;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Timestamps that are read from the records themselves. One that cannot be read is none, so that a
 * single record does not end the job; the first reason is kept.
 */
abstract class ReadTimestamps<T> implements Timestamps<T> {

  private static final long serialVersionUID = 1L;

  private static final Logger LOG = LoggerFactory.getLogger(ReadTimestamps.class);

  private transient String trouble;

  /** The timestamp in any of the forms that {@link #milliseconds} knows; null if there is none. */
  abstract Object read(T record) throws Exception;

  /** Where it is looked for, for people. */
  abstract String where();

  @Override
  public final long of(StreamRecord<T> record) {
    try {
      Object time = read(record.getValue());
      if (time instanceof Long) {
        return (Long) time;
      }
      if (time == null) {
        missing("there is nothing");
        return Times.NO_TIMESTAMP;
      }
      return milliseconds(time);
    } catch (Exception e) {
      missing(e.toString());
      return Times.NO_TIMESTAMP;
    }
  }

  private void missing(String why) {
    if (trouble == null) {
      trouble = "no timestamp in " + where() + ": " + why;
      LOG.warn(
          "A record passes the gate without a timestamp, and others may follow that are only"
              + " counted: {}",
          trouble);
    }
  }

  @Override
  public final Optional<String> trouble() {
    return Optional.ofNullable(trouble);
  }

  /** A time, however Java or Flink writes it, in milliseconds since 1970. */
  private static long milliseconds(Object time) {
    if (time instanceof Instant) {
      return ((Instant) time).toEpochMilli();
    }
    if (time instanceof LocalDateTime) {
      // As Flink's SQL takes a TIMESTAMP without a zone for event time.
      return ((LocalDateTime) time).toInstant(ZoneOffset.UTC).toEpochMilli();
    }
    if (time instanceof Date) {
      return ((Date) time).getTime();
    }
    if (time instanceof Integer) {
      return (Integer) time;
    }
    throw new IllegalArgumentException(
        "a "
            + time.getClass().getName()
            + " is no timestamp; it is a Long of milliseconds since 1970, an Instant, a"
            + " LocalDateTime or a java.util.Date");
  }
}
