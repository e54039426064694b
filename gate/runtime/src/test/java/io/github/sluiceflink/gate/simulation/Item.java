package io.github.sluiceflink.gate.simulation;

/** What comes from a split, and what travels from a source to a gate. */
final class Item {

  enum Kind {
    RECORD,
    WATERMARK,
    IDLE,
    BARRIER,
    END
  }

  final Kind kind;

  /** A record's number. */
  final int id;

  /** Of a record or watermark, in milliseconds; of a barrier, its checkpoint. */
  final long time;

  private Item(Kind kind, int id, long time) {
    this.kind = kind;
    this.id = id;
    this.time = time;
  }

  static Item record(int id, long time) {
    return new Item(Kind.RECORD, id, time);
  }

  static Item watermark(long time) {
    return new Item(Kind.WATERMARK, -1, time);
  }

  static Item idle() {
    return new Item(Kind.IDLE, -1, 0);
  }

  static Item barrier(long checkpoint) {
    return new Item(Kind.BARRIER, -1, checkpoint);
  }

  static Item end() {
    return new Item(Kind.END, -1, 0);
  }

  @Override
  public String toString() {
    return kind + (kind == Kind.RECORD ? " " + id : "") + "@" + time;
  }
}
