package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** An object in a row, which has to be read completely: an unknown key may be a misspelt one. */
final class Fields {

  private final JsonNode object;
  private final Set<String> unread = new TreeSet<>();

  private Fields(JsonNode object) {
    assertTrue(object.isObject(), () -> "no object: " + object);
    this.object = object;
    object.fieldNames().forEachRemaining(unread::add);
  }

  static Fields of(JsonNode object) {
    return new Fields(object);
  }

  /** What is read of an object, all of whose keys are read by this. */
  static <T> T whole(JsonNode object, Function<Fields, T> reader) {
    Fields fields = of(object);
    T value = reader.apply(fields);
    fields.nothingElse();
    return value;
  }

  /** To be called at the end. */
  void nothingElse() {
    assertTrue(unread.isEmpty(), () -> "nobody knows the keys " + unread + " of " + object);
  }

  /** Empty if absent; the JSON null if that stands there. */
  Optional<JsonNode> value(String key) {
    unread.remove(key);
    return Optional.ofNullable(object.get(key));
  }

  <T> Optional<T> optional(String key, Function<JsonNode, T> reader) {
    return value(key).filter(it -> !it.isNull()).map(reader);
  }

  <T> Optional<T> object(String key, Function<Fields, T> reader) {
    return optional(key, it -> whole(it, reader));
  }

  <T> T required(String key, Function<Fields, T> reader) {
    return object(key, reader).orElseThrow(() -> new AssertionError(key + " is missing"));
  }

  <T> List<T> list(String key, Function<Fields, T> reader) {
    List<T> list = new ArrayList<>();
    value(key).ifPresent(all -> all.forEach(one -> list.add(whole(one, reader))));
    return list;
  }

  /** A map whose keys are subtasks. */
  <T> Map<Subtask, T> subtasks(String key, Function<JsonNode, T> reader) {
    Map<Subtask, T> subtasks = new TreeMap<>();
    BiConsumer<String, JsonNode> put =
        (name, value) -> subtasks.put(Subtask.parse(name).orElseThrow(), reader.apply(value));
    JsonNode map = value(key).orElseThrow();
    for (Iterator<String> names = map.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      put.accept(name, map.get(name));
    }
    return subtasks;
  }

  Optional<Subtask> subtask(String key) {
    return optional(key, Json::text).map(it -> Subtask.parse(it).orElseThrow());
  }

  String text(String key) {
    return optional(key, Json::text).orElseThrow(() -> new AssertionError(key + " is missing"));
  }

  <E extends Enum<E>> E name(String key, Class<E> type) {
    return Enum.valueOf(type, text(key));
  }

  boolean truth(String key) {
    return optional(key, Json::truth).orElse(false);
  }

  long count(String key) {
    return optional(key, Json::count).orElse(0L);
  }

  OptionalLong optionalCount(String key) {
    return optional(key, Json::count).map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  long number(String key) {
    return optional(key, Json::number).orElseThrow(() -> new AssertionError(key + " is missing"));
  }

  long watermark(String key) {
    return optional(key, Json::number).orElse(Times.NO_WATERMARK);
  }

  long eventTime(String key) {
    return optional(key, Json::number).map(Times::eventTime).orElse(Times.NO_TIMESTAMP);
  }
}
