package io.github.sluiceflink.gate;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.CommittingSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessageTypeInfo;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.connector.sink2.SupportsPreCommitTopology;
import org.apache.flink.streaming.api.connector.sink2.SupportsPreWriteTopology;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * A sink with every part that the interface has: before the writer, before and after the committer.
 */
final class StagedSink
    implements StringSink,
        SupportsCommitter<String>,
        SupportsPreWriteTopology<String>,
        SupportsPreCommitTopology<String, String>,
        SupportsPostCommitTopology<String> {

  private final String name;

  /** Its writer tells the test of every line under this name. */
  StagedSink(String name) {
    this.name = name;
  }

  @Override
  public DataStream<String> addPreWriteTopology(DataStream<String> input) {
    return input.keyBy(line -> line).map(line -> line).returns(Types.STRING).name("before writer");
  }

  @Override
  public DataStream<CommittableMessage<String>> addPreCommitTopology(
      DataStream<CommittableMessage<String>> written) {
    return written
        .map(message -> message)
        .returns(CommittableMessageTypeInfo.of(StagedSink::serializer))
        .name("before committer");
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<String>> committed) {
    committed
        .map(message -> message)
        .returns(CommittableMessageTypeInfo.of(StagedSink::serializer))
        .name("after committer");
  }

  @Override
  public CommittingSinkWriter<String, String> createWriter(WriterInitContext context) {
    return new Writer(name);
  }

  @Override
  public Committer<String> createCommitter(CommitterInitContext context) {
    return new Forgetter();
  }

  @Override
  public SimpleVersionedSerializer<String> getCommittableSerializer() {
    return serializer();
  }

  @Override
  public SimpleVersionedSerializer<String> getWriteResultSerializer() {
    return serializer();
  }

  private static SimpleVersionedSerializer<String> serializer() {
    return new Text();
  }

  private static final class Writer implements CommittingSinkWriter<String, String> {
    private final String name;

    Writer(String name) {
      this.name = name;
    }

    @Override
    public void write(String line, Context context) {
      Written.add(name, line);
    }

    @Override
    public void flush(boolean endOfInput) {}

    @Override
    public Collection<String> prepareCommit() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  private static final class Forgetter implements Committer<String> {
    @Override
    public void commit(Collection<CommitRequest<String>> requests) {}

    @Override
    public void close() {}
  }

  private static final class Text implements SimpleVersionedSerializer<String> {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String deserialize(int version, byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
