package io.github.sluiceflink.gate.flink;

import java.io.Serializable;
import java.util.Objects;

/** Where a gate stands in its job. */
public final class GatePlace implements Serializable {

  private static final long serialVersionUID = 1L;

  private final String injection;
  private final int gate;
  private final int gates;
  private final String sink;

  private GatePlace(String injection, int gate, int gates, String sink) {
    this.injection = Objects.requireNonNull(injection);
    this.gate = gate;
    this.gates = gates;
    this.sink = Objects.requireNonNull(sink);
  }

  /**
   * The place of a gate.
   *
   * @param injection what the gates of one submission have in common, and no others
   * @param gate its number, from 0 on, in the order of the gates' operator ids
   * @param gates how many gates the job has
   * @param sink the sink that it stands before, as people know it
   */
  public static GatePlace of(String injection, int gate, int gates, String sink) {
    if (gate < 0 || gate >= gates) {
      throw new IllegalArgumentException("there is no gate " + gate + " among " + gates);
    }
    return new GatePlace(injection, gate, gates, sink);
  }

  /** The place of a gate that was put in by hand, before the job's gates are numbered. */
  public static GatePlace byHand(String sink) {
    return new GatePlace("", -1, 0, sink);
  }

  /** Whether it is known which of the job's gates it is. */
  public boolean isNumbered() {
    return gate >= 0;
  }

  /** What the gates of one submission have in common. */
  public String injection() {
    return injection;
  }

  /** Its number, from 0 on. */
  public int gate() {
    return gate;
  }

  /** How many gates the job has. */
  public int gates() {
    return gates;
  }

  /** The sink that it stands before. */
  public String sink() {
    return sink;
  }

  @Override
  public String toString() {
    return isNumbered()
        ? "gate " + gate + " of " + gates + " (" + sink + ")"
        : "gate (" + sink + ")";
  }
}
