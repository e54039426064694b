package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import java.util.Objects;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The serializer of a gate's input: another one, except that nothing is copied between the operator
 * before and the gate. A gate changes no record, and what it keeps it copies itself; the operator
 * behind it gets its own copy as ever.
 */
public final class NotCopying<T> extends TypeSerializer<T> {

  private static final long serialVersionUID = 1L;

  private final TypeSerializer<T> serializer;

  private NotCopying(TypeSerializer<T> serializer) {
    this.serializer = Objects.requireNonNull(serializer);
  }

  /** Such a serializer for what this one serializes. */
  public static <T> TypeSerializer<T> of(TypeSerializer<T> serializer) {
    return serializer instanceof NotCopying ? serializer : new NotCopying<>(serializer);
  }

  /** The serializer that copies, of one that does not. */
  static <T> TypeSerializer<T> unwrapped(TypeSerializer<T> serializer) {
    return serializer instanceof NotCopying ? ((NotCopying<T>) serializer).serializer : serializer;
  }

  @Override
  public boolean isImmutableType() {
    return serializer.isImmutableType();
  }

  @Override
  public TypeSerializer<T> duplicate() {
    TypeSerializer<T> duplicate = serializer.duplicate();
    return duplicate == serializer ? this : new NotCopying<>(duplicate);
  }

  @Override
  public T createInstance() {
    return serializer.createInstance();
  }

  @Override
  public T copy(T from) {
    return from;
  }

  @Override
  public T copy(T from, T reuse) {
    return from;
  }

  @Override
  public int getLength() {
    return serializer.getLength();
  }

  @Override
  public void serialize(T record, DataOutputView target) throws IOException {
    serializer.serialize(record, target);
  }

  @Override
  public T deserialize(DataInputView source) throws IOException {
    return serializer.deserialize(source);
  }

  @Override
  public T deserialize(T reuse, DataInputView source) throws IOException {
    return serializer.deserialize(reuse, source);
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    serializer.copy(source, target);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NotCopying && serializer.equals(((NotCopying<?>) other).serializer);
  }

  @Override
  public int hashCode() {
    return serializer.hashCode();
  }

  @Override
  public TypeSerializerSnapshot<T> snapshotConfiguration() {
    return serializer.snapshotConfiguration();
  }
}
