package io.github.sluiceflink.gate.sinks;

/** What only the SQL planner knows of a sink. */
public final class SqlSink {

  private final String name;
  private final boolean insertOnly;
  private final int rowtime;

  SqlSink(String name, boolean insertOnly, int rowtime) {
    this.name = name;
    this.insertOnly = insertOnly;
    this.rowtime = rowtime;
  }

  /** What the planner calls it. */
  public String name() {
    return name;
  }

  /** False if the query updates or deletes what it has written. */
  public boolean insertOnly() {
    return insertOnly;
  }

  /** The column that holds the event time of a row, or less than 0 if there is none. */
  public int rowtime() {
    return rowtime;
  }
}
