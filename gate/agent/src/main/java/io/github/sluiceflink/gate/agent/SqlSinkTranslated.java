package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.sinks.SqlSinks;
import java.util.function.Consumer;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.types.RowKind;

/**
 * The hook of {@link SqlSinkAdvice}. It is given what the query ends in, the sink, the changes that
 * the query makes, and the number of the column with the event time.
 */
public final class SqlSinkTranslated implements Consumer<Object[]> {
  @Override
  public void accept(Object[] translated) {
    SqlSinks.add(
        (Transformation<?>) translated[0],
        (Transformation<?>) translated[1],
        ((ChangelogMode) translated[2]).containsOnly(RowKind.INSERT),
        (Integer) translated[3]);
  }
}
