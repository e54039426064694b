package io.github.sluiceflink.gate.handover;

/** The data of a handover record cannot be read. The message is one sentence for the user. */
public final class UnreadableRecordException extends Exception {

  private final String key;

  private UnreadableRecordException(String key, String message) {
    super(message);
    this.key = key;
  }

  static UnreadableRecordException missing(String key, String expected) {
    return new UnreadableRecordException(
        key, "the handover record lacks the key \"" + key + "\", which has to hold " + expected);
  }

  static UnreadableRecordException unreadable(String key, String found, String expected) {
    return new UnreadableRecordException(
        key,
        "the handover record has \"" + key + "\": \"" + found + "\", which is not " + expected);
  }

  /** The key that is missing, or whose value cannot be read. */
  public String key() {
    return key;
  }
}
