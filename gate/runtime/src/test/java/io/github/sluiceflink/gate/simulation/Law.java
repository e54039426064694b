package io.github.sluiceflink.gate.simulation;

/** What must hold in every state. The numbers are those of the protocol's argument. */
enum Law {
  I1("no record that is not late is in the output of both jobs, nor twice in one"),
  I2("when all is done, the output is that of one uninterrupted job"),
  I3("W is written once in an epoch, above H and above everything that the outgoing job emitted"),
  I4("the incoming job drops nothing of its own"),
  I5("the outgoing job drops nothing of its own"),
  I6("what a gate keeps is in every completed checkpoint until it is released"),
  I7("no job goes before it is sealed and its output is committed"),
  I8("never does one job pass everything while the other one emits"),
  I9("what is older than the record has no effect"),
  I10("a job emits nothing before it is opened, and nothing after it was given up"),
  I11("the phase moves along its table, and COMMIT never back"),
  I12("a forked job has none of the running job's transactions"),
  LATE("late records are emitted by whom the rules say"),
  CODEC("a record is read as it was written"),
  CONVERGENCE("without further faults it comes to STABLE, with everything committed");

  final String sentence;

  Law(String sentence) {
    this.sentence = sentence;
  }
}
