package io.github.sluiceflink.gate.flink;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import org.apache.flink.api.java.tuple.Tuple;
import org.apache.flink.types.Row;

/**
 * Reads one field of objects: of a Row, a Tuple, an Avro record, a map, or by a method or a field
 * of that name, as POJOs, records and Scala's case classes have them.
 */
final class FieldReader {

  private static final String AVRO_RECORD = "org.apache.avro.generic.IndexedRecord";

  private final String name;

  /** Its number, if it is one: {@code 0} as well as the {@code f0} of tuples; otherwise -1. */
  private final int number;

  /** How the last object was read; the next is nearly always of the same class. */
  private Class<?> known;

  private Way way;

  FieldReader(String name) {
    this.name = name;
    this.number = number(name);
  }

  private static int number(String name) {
    String digits = name.startsWith("f") ? name.substring(1) : name;
    return digits.matches("[0-9]{1,4}") ? Integer.parseInt(digits) : -1;
  }

  private interface Way {
    Object read(Object from) throws ReflectiveOperationException;
  }

  Object read(Object from) throws Exception {
    if (from.getClass() != known) {
      way = wayInto(from.getClass());
      known = from.getClass();
    }
    try {
      return way.read(from);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
    }
  }

  private Way wayInto(Class<?> type) throws ReflectiveOperationException {
    if (Row.class.isAssignableFrom(type)) {
      return this::ofRow;
    }
    if (Tuple.class.isAssignableFrom(type) && number >= 0) {
      return from -> ((Tuple) from).getField(number);
    }
    if (Map.class.isAssignableFrom(type)) {
      return from -> ((Map<?, ?>) from).get(name);
    }
    Class<?> avro = avroRecord(type);
    return avro == null ? ofMember(type) : ofAvro(avro);
  }

  private Object ofRow(Object from) {
    Row row = (Row) from;
    if (row.getFieldNames(true) != null) {
      return row.getField(name);
    }
    if (number < 0) {
      throw new IllegalArgumentException(
          "the rows have no names for their fields; give the number of the field");
    }
    return row.getField(number);
  }

  /** Avro's interface for records, of the class loader that the record's class has it from. */
  private static Class<?> avroRecord(Class<?> type) {
    Queue<Class<?>> left = new ArrayDeque<>();
    for (Class<?> one = type; one != null; one = one.getSuperclass()) {
      left.add(one);
    }
    while (!left.isEmpty()) {
      Class<?> one = left.remove();
      if (one.getName().equals(AVRO_RECORD)) {
        return one;
      }
      for (Class<?> parent : one.getInterfaces()) {
        left.add(parent);
      }
    }
    return null;
  }

  private Way ofAvro(Class<?> avro) throws ReflectiveOperationException {
    Method getSchema = avro.getMethod("getSchema");
    Method get = avro.getMethod("get", int.class);
    Method getField = getSchema.getReturnType().getMethod("getField", String.class);
    Method pos = getField.getReturnType().getMethod("pos");
    return from -> {
      Object field = getField.invoke(getSchema.invoke(from), name);
      if (field == null) {
        throw new NoSuchFieldException(name);
      }
      return get.invoke(from, pos.invoke(field));
    };
  }

  private Way ofMember(Class<?> type) throws NoSuchFieldException {
    String upper = name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    for (String candidate : new String[] {"get" + upper, name}) {
      Method method = method(type, candidate);
      if (method != null) {
        return method::invoke;
      }
    }
    for (Class<?> one = type; one != null; one = one.getSuperclass()) {
      for (Field field : one.getDeclaredFields()) {
        if (field.getName().equals(name)
            && !Modifier.isStatic(field.getModifiers())
            && field.trySetAccessible()) {
          return field::get;
        }
      }
    }
    throw new NoSuchFieldException(
        type.getName() + " has neither a field nor a method for " + name);
  }

  private static Method method(Class<?> type, String name) {
    for (Class<?> one = type; one != null; one = one.getSuperclass()) {
      for (Method method : one.getDeclaredMethods()) {
        if (method.getName().equals(name)
            && method.getParameterCount() == 0
            && method.getReturnType() != void.class
            && !Modifier.isStatic(method.getModifiers())
            && method.trySetAccessible()) {
          return method;
        }
      }
    }
    return null;
  }
}
