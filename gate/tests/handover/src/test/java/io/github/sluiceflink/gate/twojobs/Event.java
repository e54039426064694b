package io.github.sluiceflink.gate.twojobs;

/** One record of the input, and how many of its key there are up to it. */
public final class Event {
  public int split;
  public long position;
  public long timestamp;
  public int key;
  public boolean late;
  public long count;

  /** For Flink. */
  public Event() {}

  Event(int split, long position, long timestamp, int key, boolean late) {
    this.split = split;
    this.position = position;
    this.timestamp = timestamp;
    this.key = key;
    this.late = late;
  }
}
