package io.github.sluiceflink.gate.flink;

import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataTypeQueryable;
import org.apache.flink.table.types.logical.LocalZonedTimestampType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampType;

/** Timestamps in a column of a table, perhaps in a field of a row in it. */
final class RowDataTimestamps<T> extends ReadTimestamps<T> {

  private static final long serialVersionUID = 1L;

  private final String where;

  /** Which field of the row, and of the row in it, and so on. */
  private final int[] positions;

  /** How many fields those rows have. */
  private final int[] arities;

  private final boolean isNumber;
  private final int precision;

  private RowDataTimestamps(String where, int[] positions, int[] arities, LogicalType column) {
    this.where = where;
    this.positions = positions;
    this.arities = arities;
    this.isNumber = column.getTypeRoot() == LogicalTypeRoot.BIGINT;
    this.precision = precision(where, column);
  }

  static <T> Timestamps<T> of(String where, List<String> path, TypeInformation<T> type) {
    int[] positions = new int[path.size()];
    int[] arities = new int[path.size()];
    LogicalType within = row(where, type);
    for (int i = 0; i < positions.length; i++) {
      if (!(within instanceof RowType)) {
        throw new IllegalArgumentException(
            where + ": there is no row in " + path.get(i - 1) + ", but " + within);
      }
      RowType row = (RowType) within;
      positions[i] = row.getFieldIndex(path.get(i));
      arities[i] = row.getFieldCount();
      if (positions[i] < 0) {
        throw new IllegalArgumentException(
            where
                + ": there is no column "
                + path.get(i)
                + " at the sink; there are "
                + String.join(", ", row.getFieldNames()));
      }
      within = row.getTypeAt(positions[i]);
    }
    return new RowDataTimestamps<>(where, positions, arities, within);
  }

  static <T> Timestamps<T> of(String where, int index, TypeInformation<T> type) {
    RowType row = row(where, type);
    if (index < 0 || index >= row.getFieldCount()) {
      throw new IllegalArgumentException(
          where + ": the rows at the sink have " + row.getFieldCount() + " columns");
    }
    return new RowDataTimestamps<>(
        where, new int[] {index}, new int[] {row.getFieldCount()}, row.getTypeAt(index));
  }

  private static RowType row(String where, TypeInformation<?> type) {
    if (type instanceof DataTypeQueryable) {
      LogicalType logical = ((DataTypeQueryable) type).getDataType().getLogicalType();
      if (logical instanceof RowType) {
        return (RowType) logical;
      }
    }
    throw new IllegalArgumentException(
        where + ": the columns of the rows at the sink are not known (" + type + ")");
  }

  private static int precision(String where, LogicalType column) {
    switch (column.getTypeRoot()) {
      case BIGINT:
        return 0;
      case TIMESTAMP_WITHOUT_TIME_ZONE:
        return ((TimestampType) column).getPrecision();
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
        return ((LocalZonedTimestampType) column).getPrecision();
      default:
        throw new IllegalArgumentException(
            where
                + ": a column of "
                + column
                + " is no timestamp; it is a TIMESTAMP, a TIMESTAMP_LTZ or a BIGINT of milliseconds"
                + " since 1970");
    }
  }

  @Override
  Object read(T record) {
    RowData row = (RowData) record;
    int last = positions.length - 1;
    for (int i = 0; i < last; i++) {
      if (row.isNullAt(positions[i])) {
        return null;
      }
      row = row.getRow(positions[i], arities[i + 1]);
    }
    if (row.isNullAt(positions[last])) {
      return null;
    }
    return isNumber
        ? row.getLong(positions[last])
        : row.getTimestamp(positions[last], precision).getMillisecond();
  }

  @Override
  String where() {
    return where;
  }
}
