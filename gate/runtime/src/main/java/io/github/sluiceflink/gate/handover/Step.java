package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.util.List;

/** What a message to a coordinator leads to. */
@AutoValue
public abstract class Step {

  Step() {}

  static Step of(Situation situation, List<Action> actions) {
    return new AutoValue_Step(situation, List.copyOf(actions));
  }

  /** The new situation. */
  public abstract Situation situation();

  /** What is to be done, in this order. */
  public abstract List<Action> actions();
}
