package io.github.sluiceflink.gate;

import javax.sql.XADataSource;
import org.apache.flink.connector.jdbc.JdbcExactlyOnceOptions;
import org.apache.flink.connector.jdbc.JdbcExecutionOptions;
import org.apache.flink.connector.jdbc.core.datastream.sink.JdbcSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.util.function.SerializableSupplier;

/** Sinks of the JDBC connector that are exactly-once. */
enum JdbcSinks {
  /** From before the Sink interface; it prepares, and commits when the checkpoint is complete. */
  FUNCTION {
    @Override
    boolean waitsForTheCheckpoint() {
      return true;
    }

    @Override
    void write(
        DataStream<String> lines, String table, SerializableSupplier<XADataSource> database) {
      lines.addSink(
          org.apache.flink.connector.jdbc.JdbcSink.exactlyOnceSink(
              "INSERT INTO " + table + " VALUES (?)",
              (row, line) -> row.setString(1, line),
              ONCE,
              TRANSACTIONS,
              database));
    }
  },
  /** Commits when it takes part in a checkpoint, whatever becomes of that. */
  SINK {
    @Override
    boolean waitsForTheCheckpoint() {
      return false;
    }

    @Override
    void write(
        DataStream<String> lines, String table, SerializableSupplier<XADataSource> database) {
      lines.sinkTo(
          JdbcSink.<String>builder()
              .withQueryStatement(
                  "INSERT INTO " + table + " VALUES (?)", (row, line) -> row.setString(1, line))
              .withExecutionOptions(ONCE)
              .buildExactlyOnce(TRANSACTIONS, database));
    }
  };

  /** The connector demands that nothing is tried again. */
  private static final JdbcExecutionOptions ONCE =
      JdbcExecutionOptions.builder().withMaxRetries(0).build();

  /** PostgreSQL cannot prepare more than one on a connection. */
  private static final JdbcExactlyOnceOptions TRANSACTIONS =
      JdbcExactlyOnceOptions.builder().withTransactionPerConnection(true).build();

  /** Whether it commits as late as exactly-once demands. */
  abstract boolean waitsForTheCheckpoint();

  /** Writes the lines to the table. */
  abstract void write(
      DataStream<String> lines, String table, SerializableSupplier<XADataSource> database);
}
