package io.github.sluiceflink.gate;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A real Kafka broker in a process of its own. */
final class KafkaBroker implements AutoCloseable {

  private final Path directory;
  private final String address;
  private final Process broker;

  /** Starts it with its files in this directory; returns when it answers. */
  KafkaBroker(Path directory) throws Exception {
    this.directory = directory;
    Files.createDirectories(directory);
    int port = freePort();
    int controller = freePort();
    address = "127.0.0.1:" + port;
    Path properties = directory.resolve("server.properties");
    Files.write(
        properties,
        List.of(
            "process.roles=broker,controller",
            "node.id=1",
            "controller.quorum.voters=1@127.0.0.1:" + controller,
            "controller.listener.names=CONTROLLER",
            "listeners=PLAINTEXT://" + address + ",CONTROLLER://127.0.0.1:" + controller,
            "log.dirs=" + directory.resolve("logs"),
            "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=1"));
    Process format =
        java(
            "kafka.tools.StorageTool",
            "format",
            "-t",
            "S2Fma2EtYnJva2VyLTAwMQ",
            "-c",
            "" + properties);
    if (format.waitFor() != 0) {
      throw new AssertionError(Files.readString(directory.resolve("broker.log")));
    }
    broker = java("kafka.Kafka", properties.toString());
    try (Admin admin = Admin.create(client())) {
      admin.describeCluster().nodes().get(60, TimeUnit.SECONDS);
    } catch (Exception e) {
      close();
      throw new AssertionError(Files.readString(directory.resolve("broker.log")), e);
    }
  }

  /** Makes a topic of one partition. */
  void create(String topic) throws Exception {
    try (Admin admin = Admin.create(client())) {
      admin
          .createTopics(List.of(new NewTopic(topic, 1, (short) 1)))
          .all()
          .get(60, TimeUnit.SECONDS);
    }
  }

  /** A sink that writes to the topic, with transactions of this name. */
  KafkaSink<String> sink(String topic, String transactions) {
    return KafkaSink.<String>builder()
        .setBootstrapServers(address)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(transactions)
        .setProperty("transaction.timeout.ms", "300000")
        .setRecordSerializer(
            KafkaRecordSerializationSchema.builder()
                .setTopic(topic)
                .setValueSerializationSchema(new SimpleStringSchema())
                .build())
        .build();
  }

  /** Everything that was committed to the topic. */
  Output committed(String topic) {
    Properties properties = client();
    properties.setProperty("isolation.level", "read_committed");
    List<String> lines = new ArrayList<>();
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      // For a reader of committed records, the end is before the first open transaction.
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<String, String> line : consumer.poll(Duration.ofSeconds(1))) {
          lines.add(line.value());
        }
      }
    }
    return new Output(lines);
  }

  @Override
  public void close() throws IOException {
    broker.destroyForcibly();
    broker.onExit().join();
  }

  private Properties client() {
    Properties properties = new Properties();
    properties.putAll(Map.of("bootstrap.servers", address));
    return properties;
  }

  private Process java(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp"));
    command.add(System.getProperty("gate.kafka.broker") + "/*");
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("broker.log").toFile()))
        .start();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
