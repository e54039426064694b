package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What a coordinator knows of a subtask in this attempt. */
@AutoValue
public abstract class SubtaskSituation {

  /**
   * How many checkpoints a coordinator follows at once; Flink runs one at a time unless configured
   * otherwise.
   */
  private static final int FOLLOWED_CHECKPOINTS = 8;

  SubtaskSituation() {}

  /** Nothing is known of it. */
  static Builder builder() {
    return new AutoValue_SubtaskSituation.Builder().barriers(List.of());
  }

  abstract Builder toBuilder();

  /** It has come to the end of its input. */
  public abstract Optional<Finished> finished();

  /** What it reported last. */
  public abstract Optional<SubtaskReport> report();

  /** What it answered to PREPARE. */
  public abstract Optional<Answer> answer();

  /** How it stood at the barriers of checkpoints that are not completed yet, the oldest first. */
  public abstract List<AtBarrier> barriers();

  final SubtaskSituation withBarrier(AtBarrier barrier) {
    List<AtBarrier> followed = new ArrayList<>(barriers());
    followed.removeIf(it -> it.checkpoint() == barrier.checkpoint());
    followed.add(barrier);
    int surplus = Math.max(0, followed.size() - FOLLOWED_CHECKPOINTS);
    return toBuilder().barriers(List.copyOf(followed.subList(surplus, followed.size()))).build();
  }

  /** Forgets the barriers up to that of a checkpoint that has completed. */
  final SubtaskSituation withoutBarriersUpTo(long checkpoint) {
    if (barriers().isEmpty()) {
      return this;
    }
    List<AtBarrier> left = new ArrayList<>(barriers());
    left.removeIf(it -> it.checkpoint() <= checkpoint);
    return toBuilder().barriers(List.copyOf(left)).build();
  }

  /** The highest timestamp that it is known to have emitted. */
  final long highest() {
    return Math.max(
        finished().map(Finished::highest).orElse(Times.NO_TIMESTAMP),
        report().map(SubtaskReport::highest).orElse(Times.NO_TIMESTAMP));
  }

  /** The highest timestamp that it is known to have dropped. */
  final long dropped() {
    return Math.max(
        finished().map(Finished::dropped).orElse(Times.NO_TIMESTAMP),
        report().map(SubtaskReport::dropped).orElse(Times.NO_TIMESTAMP));
  }

  /** What it answers to the PREPARE of this epoch; one that has finished emits nothing more. */
  final OptionalLong answerTo(long epoch) {
    Optional<Answer> answered = answer().filter(it -> it.epoch() == epoch);
    if (answered.isPresent()) {
      return OptionalLong.of(answered.get().highest());
    }
    return finished().isPresent() ? OptionalLong.of(highest()) : OptionalLong.empty();
  }

  /** The watermark of its answer, if one had come to it. */
  final OptionalLong answeredWatermark() {
    return answer()
        .map(Answer::watermark)
        .filter(it -> it != Times.NO_WATERMARK)
        .map(OptionalLong::of)
        .orElseGet(OptionalLong::empty);
  }

  /** Its watermark, once it is known; one that has finished is at the end of its input. */
  final OptionalLong watermark() {
    return finished().isPresent()
        ? OptionalLong.of(Times.END_OF_INPUT)
        : report().map(it -> OptionalLong.of(it.watermark())).orElseGet(OptionalLong::empty);
  }

  final boolean isKnown() {
    return finished().isPresent() || report().isPresent();
  }

  final boolean isIdle() {
    return report().map(SubtaskReport::idle).orElse(false);
  }

  /**
   * Whether it had passed the cut at the barrier of this checkpoint. One that has finished since
   * then had not for that reason: what it emitted after the barrier is not in this checkpoint.
   */
  final boolean hasPassed(long cut, long checkpoint) {
    return barriers().stream()
        .filter(it -> it.checkpoint() == checkpoint)
        .findFirst()
        .map(it -> it.hasPassed(cut))
        .orElse(finished().isPresent());
  }

  /** Collects what is known of a subtask. */
  @AutoValue.Builder
  abstract static class Builder {
    abstract Builder finished(Optional<Finished> finished);

    abstract Builder report(SubtaskReport report);

    abstract Builder answer(Answer answer);

    abstract Builder barriers(List<AtBarrier> barriers);

    abstract SubtaskSituation build();
  }
}
