package io.github.sluiceflink.gate.handover;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * An object in JSON, read key by key. Keys that nobody asks for are left alone.
 *
 * <p>Flink 1.20 and 2.x bring the library, both under this name, so that it need not travel with
 * the job. What is used of it is in both versions; the tests run with each.
 *
 * <p>Whatever is not as expected is an {@link IllegalArgumentException}.
 */
final class Json {

  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  private final JsonNode object;

  private Json(JsonNode object) {
    this.object = object;
  }

  static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }

  static String write(ObjectNode object) {
    try {
      return MAPPER.writeValueAsString(object);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("objects of strings and numbers can be written", e);
    }
  }

  static Json parse(String text) {
    try {
      return of(MAPPER.readTree(text));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("no JSON", e);
    }
  }

  static Json of(JsonNode node) {
    if (!node.isObject()) {
      throw new IllegalArgumentException("no object");
    }
    return new Json(node);
  }

  /** The value of a key; nothing if it is absent, {@code null} in JSON if that stands there. */
  Optional<JsonNode> value(String key) {
    return Optional.ofNullable(object.get(key));
  }

  /** What is read from the value of a key; nothing if it is absent or null. */
  <T> Optional<T> optional(String key, Function<JsonNode, T> reader) {
    return value(key).filter(it -> !it.isNull()).map(reader);
  }

  /** What is read from the value of a key; the other if it is absent. It must not be null. */
  <T> T orElse(String key, T other, Function<JsonNode, T> reader) {
    return value(key).map(reader).orElse(other);
  }

  /** What is read from the value of a key that has to be there. */
  <T> T required(String key, Function<JsonNode, T> reader) {
    return value(key).map(reader).orElseThrow(() -> new IllegalArgumentException("no " + key));
  }

  OptionalLong optionalCount(String key) {
    Optional<Long> count = optional(key, Json::count);
    return count.map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  /** An event time; absent or null is none. */
  long eventTime(String key) {
    return optional(key, Json::number).map(Times::eventTime).orElse(Times.NO_TIMESTAMP);
  }

  static <T> List<T> list(JsonNode node, Function<JsonNode, T> reader) {
    if (!node.isArray()) {
      throw new IllegalArgumentException("no array");
    }
    List<T> list = new ArrayList<>();
    for (JsonNode one : node) {
      list.add(reader.apply(one));
    }
    return List.copyOf(list);
  }

  static long count(JsonNode node) {
    long count = number(node);
    if (count < 0) {
      throw new IllegalArgumentException("a number below 0");
    }
    return count;
  }

  static long number(JsonNode node) {
    if (!node.isIntegralNumber() || !node.canConvertToLong()) {
      throw new IllegalArgumentException("no whole number of 64 bits");
    }
    return node.longValue();
  }

  static boolean truth(JsonNode node) {
    if (!node.isBoolean()) {
      throw new IllegalArgumentException("neither true nor false");
    }
    return node.booleanValue();
  }

  static String text(JsonNode node) {
    if (!node.isTextual()) {
      throw new IllegalArgumentException("no text");
    }
    return node.textValue();
  }
}
