package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What stands in a checkpoint of a gate's subtask. The phase is not part of it: the handover record
 * is the authority.
 */
@AutoValue
public abstract class GateState<R> {

  GateState() {}

  /** The state of a subtask that starts from nothing. */
  public static <R> GateState<R> empty() {
    return of(List.of(), Times.NO_TIMESTAMP, Times.NO_TIMESTAMP, Times.NO_WATERMARK);
  }

  public static <R> GateState<R> of(
      List<Kept<R>> kept, long emitted, long dropped, long watermark) {
    return new AutoValue_GateState<>(
        List.copyOf(kept), Times.eventTime(emitted), Times.eventTime(dropped), watermark);
  }

  /** The records that it keeps, in the order in which they came. */
  public abstract List<Kept<R>> kept();

  /** The highest timestamp that was emitted. */
  public abstract long emitted();

  /** The highest timestamp that was dropped since the job was the active one. */
  public abstract long dropped();

  /** The highest watermark that came. */
  public abstract long watermark();

  /**
   * The state of each of so many subtasks, from that of all subtasks in the checkpoint: unchanged
   * where the parallelism is; otherwise the kept records are dealt out in turn, with the highest
   * timestamps of all and the lowest watermark.
   *
   * @param checkpoint in the order of the subtasks
   */
  public static <R> List<GateState<R>> restore(List<GateState<R>> checkpoint, int parallelism) {
    if (checkpoint.size() == parallelism) {
      return List.copyOf(checkpoint);
    }
    long emitted = Times.NO_TIMESTAMP;
    long dropped = Times.NO_TIMESTAMP;
    long watermark = checkpoint.isEmpty() ? Times.NO_WATERMARK : Times.END_OF_INPUT;
    List<List<Kept<R>>> hands = new ArrayList<>(Collections.nCopies(parallelism, List.of()));
    hands.replaceAll(none -> new ArrayList<>());
    int dealt = 0;
    for (GateState<R> state : checkpoint) {
      emitted = Math.max(emitted, state.emitted());
      dropped = Math.max(dropped, state.dropped());
      watermark = Math.min(watermark, state.watermark());
      for (Kept<R> kept : state.kept()) {
        hands.get(dealt).add(kept);
        dealt = (dealt + 1) % parallelism;
      }
    }
    List<GateState<R>> states = new ArrayList<>(parallelism);
    for (List<Kept<R>> hand : hands) {
      states.add(of(hand, emitted, dropped, watermark));
    }
    return states;
  }
}
