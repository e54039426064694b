package io.github.sluiceflink.gate.simulation;

/** What happens when nothing goes wrong. */
enum Happening {
  SOURCE(8),
  GATE(40),
  TO_COORDINATOR(20),
  TO_GATE(20),
  REPORT(16),
  PUBLISH(10),
  READ(14),
  NETWORK(24),
  CHECKPOINT(8),
  SOURCE_BARRIER(20),
  COMPLETE(12),
  NOTIFY(8),
  START(8),
  DRIVER(14);

  final int weight;

  Happening(int weight) {
    this.weight = weight;
  }
}
