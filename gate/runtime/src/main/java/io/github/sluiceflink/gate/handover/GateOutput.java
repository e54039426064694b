package io.github.sluiceflink.gate.handover;

/** What a gate's subtask does. */
public interface GateOutput<R> {

  /** Hands a record on to the sink. */
  void emit(R record);

  /** Forgets a record: the other job emits it. */
  void drop(R record);

  /** Answers PREPARE. */
  void answer(long attempt, Answer answer);

  /** Tells the coordinator how the subtask stood at a barrier. */
  void atBarrier(AtBarrier barrier);
}
