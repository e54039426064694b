package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import java.io.IOException;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** A map of strings, such as the data of a ConfigMap, as one object in JSON. */
final class RecordJson {

  static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  private RecordJson() {}

  /**
   * @throws IOException if it is no object whose values are strings; the message says what it is
   */
  static SortedMap<String, String> read(byte[] json) throws IOException {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IOException("no JSON", e);
    }
    return strings(node);
  }

  /** The strings that an object in JSON holds. */
  static SortedMap<String, String> strings(JsonNode node) throws IOException {
    if (!node.isObject()) {
      throw new IOException("no object in JSON");
    }
    SortedMap<String, String> data = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : (Iterable<Map.Entry<String, JsonNode>>) node::fields) {
      if (!field.getValue().isTextual()) {
        throw new IOException("an object whose \"" + field.getKey() + "\" is no string");
      }
      data.put(field.getKey(), field.getValue().textValue());
    }
    return data;
  }

  static byte[] write(Map<String, String> data) {
    ObjectNode object = MAPPER.createObjectNode();
    data.forEach(object::put);
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(object);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("objects of strings can be written", e);
    }
  }

  /** The data of a record, beside the keys of somebody else's that are there already. */
  static SortedMap<String, String> replaced(Map<String, String> there, HandoverRecord handover) {
    SortedMap<String, String> data = new TreeMap<>(there);
    data.keySet().removeAll(RecordCodec.KEYS);
    data.putAll(RecordCodec.encode(handover));
    return data;
  }
}
