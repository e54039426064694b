package io.github.sluiceflink.gate;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.sql.XADataSource;
import org.apache.flink.util.function.SerializableSupplier;
import org.postgresql.xa.PGXADataSource;

/** A real PostgreSQL server, in processes of its own, that takes prepared transactions. */
final class Postgres implements AutoCloseable {

  private static final long PATIENCE = 90;

  private final EmbeddedPostgres server;

  /** Starts it with its data below this directory; returns when it answers. */
  Postgres(Path directory) throws IOException {
    server =
        EmbeddedPostgres.builder()
            .setOverrideWorkingDirectory(Path.of("target", "postgres").toFile())
            .setDataDirectory(directory.resolve("data"))
            .setServerConfig("max_prepared_transactions", "50")
            .setServerConfig("fsync", "off")
            .setPGStartupWait(Duration.ofSeconds(PATIENCE))
            .start();
  }

  /** Makes a table of lines, which may be there more than once, and returns its name. */
  String create(String table) throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE " + table + " (line VARCHAR NOT NULL)");
    }
    return table;
  }

  /** Where a sink gets its connections. */
  SerializableSupplier<XADataSource> transactions() {
    int port = server.getPort();
    return () -> {
      PGXADataSource source = new PGXADataSource();
      source.setServerNames(new String[] {"localhost"});
      source.setPortNumbers(new int[] {port});
      source.setDatabaseName("postgres");
      source.setUser("postgres");
      source.setReWriteBatchedInserts(true);
      return source;
    };
  }

  /** Everything that was committed to the table. */
  Output committed(String table) throws SQLException {
    return new Output(query("SELECT line FROM " + table));
  }

  /** The names of the transactions that are prepared and neither committed nor rolled back. */
  List<String> prepared() throws SQLException {
    return query("SELECT gid FROM pg_prepared_xacts");
  }

  /** Gives up all transactions that are prepared. */
  void rollBackPrepared() throws SQLException {
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      for (String transaction : prepared()) {
        statement.execute("ROLLBACK PREPARED '" + transaction + "'");
      }
    }
  }

  /** Waits until these transactions are committed or rolled back. */
  void awaitEnd(List<String> transactions) throws Exception {
    Instant deadline = Instant.now().plus(Duration.ofSeconds(PATIENCE));
    while (!Collections.disjoint(prepared(), transactions)) {
      if (Instant.now().isAfter(deadline)) {
        throw new AssertionError("still prepared: " + prepared());
      }
      Thread.sleep(20);
    }
  }

  private List<String> query(String select) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(select)) {
      while (result.next()) {
        rows.add(result.getString(1));
      }
    }
    return rows;
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
