package io.github.sluiceflink.gate.sinks;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.util.StringUtils;

/**
 * Ids that operators of one graph get instead of those that Flink generates: node of the graph to
 * id, 16 bytes each.
 *
 * <p>They travel in the job configuration of the graph itself, because Flink 2.x generates ids in
 * the JobMaster, also when it recovers the job long after the submission.
 */
public final class OperatorIds {

  /** Pairs of node and id, {@code 12=0123...ef,13=...}. Written by the agent only. */
  static final ConfigOption<String> OPERATOR_IDS =
      ConfigOptions.key("bluegreen.internal.operator-ids").stringType().noDefaultValue();

  private static final int HALF = 8;

  private final Map<Integer, byte[]> ids;

  /**
   * Ids for these operators.
   *
   * @param ids by node of the graph
   */
  public OperatorIds(Map<Integer, byte[]> ids) {
    this.ids = Collections.unmodifiableMap(new TreeMap<>(ids));
  }

  /** The ids that Flink makes for the operators of a graph, those that it carries put in. */
  public static Map<Integer, byte[]> generated(StreamGraph graph) {
    return new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph);
  }

  /** What a graph carries in its job configuration; empty if the agent has left it alone. */
  public static OperatorIds of(Configuration jobConfiguration) {
    Map<Integer, byte[]> ids = new TreeMap<>();
    String text = jobConfiguration.getOptional(OPERATOR_IDS).orElse("");
    for (String pair : text.isEmpty() ? new String[0] : text.split(",")) {
      int equals = pair.indexOf('=');
      ids.put(
          Integer.valueOf(pair.substring(0, equals)),
          StringUtils.hexStringToByte(pair.substring(equals + 1)));
    }
    return new OperatorIds(ids);
  }

  /** Lets a graph carry these ids. */
  public void writeTo(Configuration jobConfiguration) {
    jobConfiguration.set(
        OPERATOR_IDS,
        ids.entrySet().stream()
            .map(pair -> pair.getKey() + "=" + StringUtils.byteToHexString(pair.getValue()))
            .collect(Collectors.joining(",")));
  }

  /** Whether these operators have these ids. */
  public boolean areIn(Map<Integer, byte[]> hashes) {
    return ids.keySet().stream().allMatch(node -> Arrays.equals(ids.get(node), hashes.get(node)));
  }

  /** Puts these ids in the place of those that Flink generated. */
  public void replaceIn(Map<Integer, byte[]> hashes) {
    ids.forEach((node, id) -> hashes.replace(node, id.clone()));
  }

  /**
   * The id of an operator of a sink in a sink epoch. The second half carries the epoch, so that the
   * epoch of an id that is found in a savepoint can be told without trying all of them.
   *
   * @param original the id that Flink generates, 16 bytes
   * @param epoch more than 0; for 0 the original is the id
   */
  static byte[] derive(byte[] original, long epoch) {
    ByteBuffer id = ByteBuffer.wrap(digest(original), 0, 2 * HALF);
    id.putLong(HALF, id.getLong(HALF) ^ epoch);
    byte[] derived = new byte[2 * HALF];
    id.get(derived);
    return derived;
  }

  /** The epoch in which the operator has this id, or nothing if it never has. */
  static OptionalLong epochOf(byte[] original, byte[] id) {
    if (Arrays.equals(original, id)) {
      return OptionalLong.of(0);
    }
    ByteBuffer digest = ByteBuffer.wrap(digest(original));
    ByteBuffer found = ByteBuffer.wrap(id);
    long epoch = found.getLong(HALF) ^ digest.getLong(HALF);
    return digest.getLong(0) == found.getLong(0) && epoch > 0
        ? OptionalLong.of(epoch)
        : OptionalLong.empty();
  }

  private static byte[] digest(byte[] original) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update("sluice sink epoch".getBytes(StandardCharsets.UTF_8));
      return digest.digest(original);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
