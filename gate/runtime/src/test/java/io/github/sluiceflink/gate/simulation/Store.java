package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import java.util.ArrayList;
import java.util.List;

/** Where the record is kept, with everything that it ever was. */
final class Store {

  private final List<HandoverRecord> versions = new ArrayList<>();
  boolean isOut;

  Store(HandoverRecord first) {
    versions.add(first);
  }

  /** The version of the newest record; the first is 1. */
  long version() {
    return versions.size();
  }

  HandoverRecord newest() {
    return versions.get(versions.size() - 1);
  }

  HandoverRecord at(long version) {
    return versions.get((int) version - 1);
  }

  void put(HandoverRecord record) {
    HandoverRecord read;
    try {
      read = RecordCodec.decode(RecordCodec.encode(record));
    } catch (UnreadableRecordException e) {
      throw new Broken(Law.CODEC, e.getMessage());
    }
    if (!read.equals(record)) {
      throw new Broken(Law.CODEC, read + " for " + record);
    }
    versions.add(read);
  }
}
