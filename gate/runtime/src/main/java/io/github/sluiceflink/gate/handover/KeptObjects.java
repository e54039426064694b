package io.github.sluiceflink.gate.handover;

import java.util.ArrayDeque;
import java.util.List;

/** Kept records as the objects that they are. */
final class KeptObjects<R> implements KeptRecords<R> {

  private final GateOutput<R> output;
  private final ArrayDeque<Kept<R>> kept;

  KeptObjects(List<Kept<R>> restored, GateOutput<R> output) {
    this.output = output;
    this.kept = new ArrayDeque<>(restored);
  }

  @Override
  public void add(R record, long timestamp, long arrival) {
    kept.add(Kept.of(record, timestamp, arrival));
  }

  /** What is still kept goes to the end of the queue. */
  @Override
  public void settle(Judging judging) {
    for (int left = kept.size(); left > 0; left--) {
      Kept<R> one = kept.remove();
      switch (judging.judge(one.timestamp(), one.arrival())) {
        case KEEP:
          kept.add(one);
          break;
        case EMIT:
          output.emit(one.record());
          break;
        default:
          output.drop(one.record());
      }
    }
  }

  @Override
  public long lowest() {
    return kept.stream().mapToLong(Kept::timestamp).min().orElse(AtBarrier.NOTHING_KEPT);
  }

  @Override
  public List<Kept<R>> all() {
    return List.copyOf(kept);
  }
}
