package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/** What is sent to the API server to write a record. */
final class RecordPatch {

  private RecordPatch() {}

  /**
   * A merge patch (RFC 7386) of the ConfigMap in this version; a null removes a key.
   *
   * @param read the record in that version; keys that it has alike are left out
   */
  static byte[] of(long version, Optional<HandoverRecord> read, HandoverRecord next) {
    ObjectNode patch = RecordJson.MAPPER.createObjectNode();
    patch.putObject("metadata").put("resourceVersion", Long.toString(version));
    ObjectNode data = patch.putObject("data");
    SortedMap<String, String> wanted = RecordCodec.encode(next);
    Optional<SortedMap<String, String>> there = read.map(RecordCodec::encode);
    for (String key : RecordCodec.KEYS) {
      String value = wanted.get(key);
      boolean isAlike =
          there
              .filter(it -> Optional.ofNullable(it.get(key)).equals(Optional.ofNullable(value)))
              .isPresent();
      if (!isAlike) {
        // Without a value this puts null.
        data.put(key, value);
      }
    }
    return bytes(patch);
  }

  /** A ConfigMap that holds the record. */
  static byte[] creating(String name, HandoverRecord handover) {
    ObjectNode configMap = RecordJson.MAPPER.createObjectNode();
    configMap.put("apiVersion", "v1").put("kind", "ConfigMap");
    configMap.putObject("metadata").put("name", name);
    ObjectNode data = configMap.putObject("data");
    for (Map.Entry<String, String> entry : RecordCodec.encode(handover).entrySet()) {
      data.put(entry.getKey(), entry.getValue());
    }
    return bytes(configMap);
  }

  private static byte[] bytes(ObjectNode object) {
    try {
      return RecordJson.MAPPER.writeValueAsBytes(object);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("objects of strings can be written", e);
    }
  }
}
