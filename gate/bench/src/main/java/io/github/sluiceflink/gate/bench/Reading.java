package io.github.sluiceflink.gate.bench;

/** A record of three fields, which Flink copies where it does not use objects again. */
public final class Reading {

  public long time;
  public long sensor;
  public double value;

  /** For Flink. */
  public Reading() {}

  Reading(long time) {
    this.time = time;
    this.sensor = time & 1023;
    this.value = time * 0.5;
  }
}
