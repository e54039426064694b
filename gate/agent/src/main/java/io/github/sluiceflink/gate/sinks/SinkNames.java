package io.github.sluiceflink.gate.sinks;

import java.lang.reflect.Field;
import java.util.List;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.graph.StreamNode;

/**
 * Names that a sink gives to things outside of Flink, and that it would give again once its state
 * is fresh: the transactions of a Kafka producer, which a new producer with the same name fences
 * off, and the numbered files of a StreamingFileSink, which it would write over. They get the sink
 * epoch.
 */
final class SinkNames {

  private static final String KAFKA = "org.apache.flink.connector.kafka.sink.KafkaSink";
  private static final String LEGACY_KAFKA =
      "org.apache.flink.streaming.connectors.kafka.FlinkKafkaProducer";
  private static final List<String> STREAMING_FILE =
      List.of(
          "org.apache.flink.streaming.api.functions.sink.filesystem.StreamingFileSink",
          "org.apache.flink.streaming.api.functions.sink.filesystem.legacy.StreamingFileSink");

  private SinkNames() {}

  /**
   * Puts the epoch into the names of an operator's sink. The sink is the user's own object and may
   * have been submitted before, so an epoch that is there already is replaced.
   *
   * @throws SubmissionRefused if a sink is known to need it, but of a version that is not
   */
  static void addEpoch(StreamNode node, long epoch) {
    for (Object sink : SinkObjects.of(node)) {
      try {
        addEpoch(sink, epoch);
      } catch (ReflectiveOperationException | RuntimeException e) {
        throw new SubmissionRefused(
            "The sink \""
                + node.getOperatorName()
                + "\" ("
                + sink.getClass().getName()
                + ") is of a version whose "
                + (isStreamingFile(sink) ? "files" : "transactions")
                + " Sluice cannot keep apart from those of the running job; set "
                + SinkEpoch.FORK_SAFE.key()
                + " to false to start it all the same.",
            e);
      }
    }
  }

  private static void addEpoch(Object sink, long epoch) throws ReflectiveOperationException {
    if (isA(sink, KAFKA)) {
      if (isExactlyOnce(sink)) {
        Field prefix = field(sink, "transactionalIdPrefix");
        String name = (String) prefix.get(sink);
        prefix.set(
            sink, poolsTransactions(sink) ? withEpochInFront(name, epoch) : withEpoch(name, epoch));
      }
    } else if (isA(sink, LEGACY_KAFKA)) {
      Field prefix = field(sink, "transactionalIdPrefix");
      // Without a prefix of the user's it is made from the id of the operator, which is new.
      if (prefix.get(sink) != null) {
        prefix.set(sink, withEpoch((String) prefix.get(sink), epoch));
      }
    } else if (isStreamingFile(sink)) {
      Object buckets = field(sink, "bucketsBuilder").get(sink);
      Field config = field(buckets, "outputFileConfig");
      OutputFileConfig files = (OutputFileConfig) config.get(buckets);
      config.set(
          buckets,
          new OutputFileConfig(withEpoch(files.getPartPrefix(), epoch), files.getPartSuffix()));
    }
  }

  /** The user's name in front, so that an access rule of the broker for that name still fits. */
  static String withEpoch(String name, long epoch) {
    return withoutEpoch(name) + "-sink-epoch-" + epoch;
  }

  /**
   * The epoch in front: with pooled transactions, a sink that restarts aborts every open one whose
   * name begins with its own.
   */
  static String withEpochInFront(String name, long epoch) {
    return "sink-epoch-" + epoch + "-" + withoutEpoch(name);
  }

  private static String withoutEpoch(String name) {
    return name.replaceFirst("-sink-epoch-\\d+$", "").replaceFirst("^sink-epoch-\\d+-", "");
  }

  /** Only connectors for Flink 2 can pool transactions. */
  private static boolean poolsTransactions(Object sink) throws ReflectiveOperationException {
    try {
      Object strategy = field(sink, "transactionNamingStrategy").get(sink);
      return ((Enum<?>) strategy).name().equals("POOLING");
    } catch (NoSuchFieldException e) {
      return false;
    }
  }

  private static boolean isStreamingFile(Object sink) {
    return STREAMING_FILE.stream().anyMatch(name -> isA(sink, name));
  }

  /** Whether a sink that has the field was built with that guarantee. */
  static boolean isExactlyOnce(Object sink) throws ReflectiveOperationException {
    return ((Enum<?>) field(sink, "deliveryGuarantee").get(sink)).name().equals("EXACTLY_ONCE");
  }

  /** Whether an object is of the class of this name, or of one that extends it. */
  static boolean isA(Object object, String name) {
    for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
      if (type.getName().equals(name)) {
        return true;
      }
    }
    return false;
  }

  private static Field field(Object object, String name) throws NoSuchFieldException {
    for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (field.getName().equals(name)) {
          field.setAccessible(true);
          return field;
        }
      }
    }
    throw new NoSuchFieldException(object.getClass().getName() + " has no field " + name);
  }
}
