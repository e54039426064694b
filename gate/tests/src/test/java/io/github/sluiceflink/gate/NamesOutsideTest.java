package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.reflect.Field;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.junit.jupiter.api.Test;

/** The names by which a Kafka sink's transactions are known to the broker carry the sink epoch. */
class NamesOutsideTest {

  private final Configuration configuration = new Configuration();

  @Test
  void the_transactions_of_an_exactly_once_kafka_sink_are_its_epochs() throws Exception {
    KafkaSink<String> sink = kafka(DeliveryGuarantee.EXACTLY_ONCE);
    assertEquals(List.of("orders-sink-epoch-4"), prefixes(graph(sink, 4)));
    // The program may build its graph again, as for a plan, and with the same object.
    assertEquals(List.of("orders-sink-epoch-4"), prefixes(graph(sink, 4)));
    assertEquals(List.of("orders-sink-epoch-5"), prefixes(graph(sink, 5)));
  }

  @Test
  void without_an_epoch_or_without_transactions_the_name_is_the_users() throws Exception {
    assertEquals(List.of("orders"), prefixes(graph(kafka(DeliveryGuarantee.EXACTLY_ONCE), 0)));
    assertEquals(List.of("orders"), prefixes(graph(kafka(DeliveryGuarantee.AT_LEAST_ONCE), 4)));
  }

  @Test
  void the_sinks_of_kafka_tables_are_found_in_what_wraps_them() throws Exception {
    configuration.setString("bluegreen.sinks.epoch", "7");
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(configuration);
    environment.enableCheckpointing(1_000);
    StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
    tables.createTemporaryView("numbers", environment.fromSequence(1, 3));
    String common =
        "'topic' = 't', 'properties.bootstrap.servers' = 'localhost:1', 'sink.delivery-guarantee' ="
            + " 'exactly-once', ";
    tables.executeSql(
        "CREATE TABLE appended (number BIGINT) WITH ('connector' = 'kafka', 'format' = 'json', "
            + common
            + "'sink.transactional-id-prefix' = 'appended')");
    tables.executeSql(
        "CREATE TABLE upserted (number BIGINT, PRIMARY KEY (number) NOT ENFORCED) WITH ('connector'"
            + " = 'upsert-kafka', 'key.format' = 'json', 'value.format' = 'json',"
            + " 'sink.buffer-flush.max-rows' = '10', 'sink.buffer-flush.interval' = '1 s', "
            + common
            + "'sink.transactional-id-prefix' = 'upserted')");
    tables
        .createStatementSet()
        .addInsertSql("INSERT INTO appended SELECT f0 FROM numbers")
        .addInsertSql("INSERT INTO upserted SELECT f0 FROM numbers GROUP BY f0")
        .attachAsDataStream();
    assertEquals(
        List.of("appended-sink-epoch-7", "upserted-sink-epoch-7"),
        prefixes(environment.getStreamGraph()));
  }

  private static KafkaSink<String> kafka(DeliveryGuarantee guarantee) {
    return builder(guarantee).build();
  }

  static KafkaSinkBuilder<String> builder(DeliveryGuarantee guarantee) {
    return KafkaSink.<String>builder()
        .setBootstrapServers("localhost:1")
        .setDeliveryGuarantee(guarantee)
        .setTransactionalIdPrefix("orders")
        .setRecordSerializer(
            KafkaRecordSerializationSchema.builder()
                .setTopic("t")
                .setValueSerializationSchema(new SimpleStringSchema())
                .build());
  }

  private StreamGraph graph(KafkaSink<String> sink, long epoch) {
    return graph(configuration, sink, epoch);
  }

  static StreamGraph graph(Configuration configuration, KafkaSink<String> sink, long epoch) {
    configuration.setString("bluegreen.sinks.epoch", Long.toString(epoch));
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(configuration);
    environment.fromData("a").sinkTo(sink);
    return environment.getStreamGraph();
  }

  /** What the writers and committers of a graph are going to be created with. */
  static List<String> prefixes(StreamGraph graph) throws ReflectiveOperationException {
    TreeSet<String> prefixes = new TreeSet<>();
    for (StreamNode node : graph.getStreamNodes()) {
      for (Object sink = get(node.getOperatorFactory(), "sink"); sink != null; ) {
        Object prefix = get(sink, "transactionalIdPrefix");
        if (prefix != null) {
          prefixes.add((String) prefix);
        }
        sink = get(sink, "wrappedSink");
      }
    }
    assertFalse(prefixes.isEmpty());
    return prefixes.stream().collect(Collectors.toList());
  }

  private static Object get(Object object, String name) throws ReflectiveOperationException {
    if (object == null) {
      return null;
    }
    for (Field field : object.getClass().getDeclaredFields()) {
      if (field.getName().equals(name)) {
        field.setAccessible(true);
        return field.get(object);
      }
    }
    return null;
  }
}
