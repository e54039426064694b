package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One parallel subtask of one gate. A job has a gate before each sink; gates are numbered in the
 * order of their operators' ids. Written {@code gate/index}.
 */
@AutoValue
public abstract class Subtask implements Comparable<Subtask>, Serializable {

  /** The largest number that the operator reads; no parallelism of Flink is as large. */
  static final int LARGEST = 0xFFFF;

  private static final Pattern WRITTEN = Pattern.compile("([0-9]{1,9})/([0-9]{1,9})");

  private static final Comparator<Subtask> ORDER =
      Comparator.comparingInt(Subtask::gate).thenComparingInt(Subtask::index);

  Subtask() {}

  /** The subtask of this index, from 0 on, of this gate. */
  public static Subtask of(int gate, int index) {
    return new AutoValue_Subtask(gate, index);
  }

  /** The subtask that is written so; nothing if none is. */
  static Optional<Subtask> parse(String text) {
    Matcher numbers = WRITTEN.matcher(text);
    if (!numbers.matches()) {
      return Optional.empty();
    }
    int gate = Integer.parseInt(numbers.group(1));
    int index = Integer.parseInt(numbers.group(2));
    return gate <= LARGEST && index <= LARGEST ? Optional.of(of(gate, index)) : Optional.empty();
  }

  /** Which gate of the job. */
  public abstract int gate();

  /** Which of the gate's parallel subtasks. */
  public abstract int index();

  @Override
  public final int compareTo(Subtask other) {
    return ORDER.compare(this, other);
  }

  @Override
  public final String toString() {
    return gate() + "/" + index();
  }
}
