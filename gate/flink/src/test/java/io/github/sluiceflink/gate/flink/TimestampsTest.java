package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Times;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Date;
import java.util.function.Function;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

/** Where event times are found, and what is said of those that are not. */
final class TimestampsTest {

  private static final Instant NOON = Instant.parse("2026-11-22T12:00:00.123Z");

  /** An order, as people write POJOs. */
  public static class Order {
    public Customer customer = new Customer();
    private Object placed = NOON.toEpochMilli();

    public Object getPlaced() {
      return placed;
    }
  }

  /** A customer of an order. */
  public static class Customer {
    public Instant since = NOON;

    /** As Scala's case classes have it. */
    public long born() {
      return 5;
    }
  }

  /** An extractor as the options name it. */
  public static class LengthAsTime implements Function<String, Long>, java.io.Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Long apply(String record) {
      if (record.equals("broken")) {
        throw new IllegalStateException("cannot be read");
      }
      return record.isEmpty() ? null : (long) record.length();
    }
  }

  /** A function that cannot travel with the job. */
  public static class NotSerializable implements Function<String, Long> {
    @Override
    public Long apply(String record) {
      return 1L;
    }
  }

  private static GateOptions options(String... keysAndValues) {
    Configuration config = new Configuration();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      config.setString("bluegreen.gate.watermark." + keysAndValues[i], keysAndValues[i + 1]);
    }
    return GateOptions.from(config);
  }

  private static <T> Timestamps<T> choose(GateOptions options, TypeInformation<T> type, int rowtime)
      throws Exception {
    Timestamps<T> chosen =
        Timestamps.choose(options, type, rowtime, TimestampsTest.class.getClassLoader());
    // It travels with the job.
    return InstantiationUtil.clone(chosen);
  }

  private static <T> long time(Timestamps<T> timestamps, T record) {
    return timestamps.of(new StreamRecord<>(record, 7));
  }

  private static String refusal(GateOptions options, TypeInformation<?> type) {
    return assertThrows(IllegalArgumentException.class, () -> choose(options, type, -1))
        .getMessage();
  }

  @Test
  void areTheRecordsOwnUnlessSomethingElseIsSaid() throws Exception {
    Timestamps<String> own = choose(options(), Types.STRING, -1);
    assertEquals(7, time(own, "a"));
    assertEquals(Times.NO_TIMESTAMP, own.of(new StreamRecord<>("a")));
  }

  @Test
  void areWhatAnExtractorFinds() throws Exception {
    Timestamps<String> extracted =
        choose(options("extractor-class", LengthAsTime.class.getName()), Types.STRING, -1);
    assertEquals(3, time(extracted, "abc"));
    assertFalse(extracted.trouble().isPresent());
    assertEquals(Times.NO_TIMESTAMP, time(extracted, "broken"));
    assertEquals(Times.NO_TIMESTAMP, time(extracted, ""));
    assertTrue(extracted.trouble().get().contains("cannot be read"), "the first trouble is kept");
  }

  @Test
  void refusesAnExtractorThatCannotBeOne() {
    assertTrue(
        refusal(options("extractor-class", "com.example.Missing"), Types.STRING)
            .contains("not among the job's classes"));
    assertTrue(
        refusal(options("extractor-class", NotSerializable.class.getName()), Types.STRING)
            .contains("is not a serializable"));
    assertTrue(
        refusal(options("extractor-class", "a", "field-path", "b"), Types.STRING)
            .contains("set one of them"));
  }

  @Test
  void areInAFieldOfAPojo() throws Exception {
    TypeInformation<Order> type = TypeInformation.of(Order.class);
    Order order = new Order();
    Timestamps<Order> placed = choose(options("field-path", "placed"), type, -1);
    for (Object form :
        new Object[] {
          NOON.toEpochMilli(),
          NOON,
          LocalDateTime.parse("2026-11-22T12:00:00.123"),
          new Date(NOON.toEpochMilli()),
          Timestamp.from(NOON)
        }) {
      order.placed = form;
      assertEquals(NOON.toEpochMilli(), time(placed, order), form.getClass().getName());
    }
    order.placed = "noon";
    assertEquals(Times.NO_TIMESTAMP, time(placed, order));
    assertTrue(placed.trouble().get().contains("String is no timestamp"), placed.trouble().get());
    assertEquals(
        NOON.toEpochMilli(),
        time(choose(options("field-path", "customer.since"), type, -1), order));
    assertEquals(5, time(choose(options("field-path", "customer.born"), type, -1), order));
    order.customer = null;
    assertEquals(
        Times.NO_TIMESTAMP, time(choose(options("field-path", "customer.since"), type, -1), order));
  }

  @Test
  void areInAFieldOfARowOrATuple() throws Exception {
    TypeInformation<Row> rows =
        Types.ROW_NAMED(new String[] {"id", "at"}, Types.STRING, Types.LONG);
    Row named = Row.withNames(RowKind.INSERT);
    named.setField("id", "a");
    named.setField("at", 44L);
    assertEquals(44, time(choose(options("field-name", "at"), rows, -1), named));
    assertEquals(45, time(choose(options("field-index", "1"), rows, -1), Row.of("a", 45L)));
    TypeInformation<Tuple2<String, Long>> tuples = Types.TUPLE(Types.STRING, Types.LONG);
    assertEquals(46, time(choose(options("field-path", "f1"), tuples, -1), Tuple2.of("a", 46L)));
    assertTrue(refusal(options("field-name", "when"), rows).contains("id, at"));
    assertTrue(refusal(options("field-index", "2"), rows).contains("2 fields"));
  }

  @Test
  void areInAColumnOfATable() throws Exception {
    RowType inner = RowType.of(new LogicalType[] {new BigIntType()}, new String[] {"at"});
    RowType type =
        RowType.of(
            new LogicalType[] {
              new VarCharType(),
              new TimestampType(3),
              new LocalZonedTimestampType(6),
              new BigIntType(),
              inner
            },
            new String[] {"id", "ts", "ltz", "ms", "nested"});
    InternalTypeInfo<RowData> rows = InternalTypeInfo.of(type);
    GenericRowData row =
        GenericRowData.of(
            null,
            TimestampData.fromInstant(NOON),
            TimestampData.fromInstant(NOON.plusMillis(1)),
            NOON.toEpochMilli() + 2,
            GenericRowData.of(NOON.toEpochMilli() + 3));
    long noon = NOON.toEpochMilli();
    assertEquals(noon, time(choose(options("field-name", "ts"), rows, -1), row));
    assertEquals(noon + 1, time(choose(options("field-name", "ltz"), rows, -1), row));
    assertEquals(noon + 2, time(choose(options("field-index", "3"), rows, -1), row));
    assertEquals(noon + 3, time(choose(options("field-path", "nested.at"), rows, -1), row));
    assertEquals(noon + 1, time(choose(options(), rows, 2), row), "the time of the rows");
    row.setField(1, null);
    assertEquals(Times.NO_TIMESTAMP, time(choose(options("field-name", "ts"), rows, -1), row));
    assertTrue(refusal(options("field-name", "id"), rows).contains("is no timestamp"));
    assertTrue(refusal(options("field-name", "when"), rows).contains("id, ts, ltz, ms, nested"));
    assertTrue(refusal(options("field-index", "5"), rows).contains("5 columns"));
  }
}
