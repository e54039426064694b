package io.github.sluiceflink.gate.simulation;

/** A law is broken. */
final class Broken extends RuntimeException {

  private static final long serialVersionUID = 1;

  final Law law;

  Broken(Law law, String how) {
    super(law + " (" + law.sentence + "): " + how);
    this.law = law;
  }
}
