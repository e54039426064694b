package io.github.sluiceflink.gate.record;

/**
 * A write was not carried out, because the record is not there in the version that the write was
 * made for. The message is one sentence for the user.
 */
public final class WriteRefusedException extends Exception {

  /** For a write whose condition does not hold; the sentence says what was found. */
  public WriteRefusedException(String sentence) {
    super(sentence);
  }
}
