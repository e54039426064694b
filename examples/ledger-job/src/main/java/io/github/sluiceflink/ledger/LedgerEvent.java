package io.github.sluiceflink.ledger;

/** One booking on one account. Public fields and an empty constructor: a POJO to Flink. */
public final class LedgerEvent {
  /** The number of the file that the event comes from. */
  public int split;

  /** The event's number in its file; each is one more than the one before. */
  public long sequence;

  /** The account that is booked on. */
  public String account;

  /** What is added to the balance, in the smallest unit of money; negative takes away. */
  public long amount;

  /** When it happened, in milliseconds since 1970. */
  public long eventTime;

  /** For Flink's serializer. */
  public LedgerEvent() {}

  /**
   * Reads one line {@code sequence,account,amount,eventTimeMillis}.
   *
   * @throws IllegalArgumentException if the line is anything else; the message says what
   */
  public static LedgerEvent parse(int split, String line) {
    String[] fields = line.split(",", -1);
    if (fields.length != 4) {
      throw new IllegalArgumentException(
          "\""
              + line
              + "\" has "
              + fields.length
              + " fields instead of sequence,account,amount,eventTimeMillis.");
    }
    LedgerEvent event = new LedgerEvent();
    event.split = split;
    event.sequence = number(line, "sequence", fields[0]);
    event.account = fields[1];
    event.amount = number(line, "amount", fields[2]);
    event.eventTime = number(line, "eventTimeMillis", fields[3]);
    return event;
  }

  private static long number(String line, String field, String value) {
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "\"" + line + "\": the field " + field + " is not a whole number.", e);
    }
  }
}
