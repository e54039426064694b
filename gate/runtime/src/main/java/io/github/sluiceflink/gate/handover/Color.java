package io.github.sluiceflink.gate.handover;

/** The two places that jobs of a blue/green deployment take in turn. */
public enum Color {
  BLUE,
  GREEN;

  /** The colour of the other job. */
  public Color other() {
    return this == BLUE ? GREEN : BLUE;
  }
}
