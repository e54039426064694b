package io.github.sluiceflink.gate.twojobs;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The input of both jobs, a function of nothing but these numbers: which record stands where in
 * which split, what its event time is, and when it becomes readable. Event times are in disorder,
 * have ties within a split and between splits, and leave gaps.
 */
final class Input implements Serializable {

  /** Keys of one split; no key is in two, so that the order within a key is the split's. */
  static final int KEYS = 3;

  /** The length of the windows, in milliseconds. */
  static final long WINDOW = 1_000;

  private static final long TIE = 5;
  private static final long GAP_EVERY = 400;
  private static final long GAP = 150;

  private static final String CONTROL = "control";

  /** What every input has that a test says nothing else about: a record each 4 ms in each split. */
  private static final Map<String, Long> USUAL =
      Map.ofEntries(
          Map.entry("splits", 4L),
          Map.entry("start", 0L),
          Map.entry("interval", 4L),
          Map.entry("disorder", 40L),
          Map.entry("bound", 60L),
          Map.entry("idle-after", 0L),
          Map.entry("silent-split", -1L),
          Map.entry("silent-from", 0L),
          Map.entry("slow-split", -1L),
          Map.entry("slow-by", 0L),
          Map.entry("late-every", 0L),
          Map.entry("late-by", 0L),
          Map.entry("sparse-split", -1L),
          Map.entry("sparse-by", 1L));

  private final Map<String, Long> numbers;
  private final String control;

  private Input(Map<String, Long> numbers, String control) {
    this.numbers = Map.copyOf(numbers);
    this.control = control;
  }

  /** The usual input, from now on. */
  static Input of(Path control) {
    return new Input(USUAL, control.toAbsolutePath().toString())
        .with("start", System.currentTimeMillis());
  }

  private Input with(String name, long number) {
    Map<String, Long> changed = new TreeMap<>(numbers);
    changed.put(name, number);
    return new Input(changed, control);
  }

  private long number(String name) {
    return numbers.get(name);
  }

  /** One split says nothing after so many records. */
  Input withSilentSplit(int split, long from) {
    return with("silent-split", split).with("silent-from", from).with("idle-after", 500);
  }

  /** What one split has comes so much later, in milliseconds, than what the others have. */
  Input withSlowSplit(int split, long by) {
    return with("slow-split", split).with("slow-by", by);
  }

  /** So many milliseconds late is each of so many records. */
  Input withLateRecords(int every, long by) {
    return with("late-every", every).with("late-by", by);
  }

  /** One split has only one record where each of the others has so many. */
  Input withSparseSplit(int split, long by) {
    return with("sparse-split", split).with("sparse-by", by);
  }

  /** With so many milliseconds between two records of a split. */
  Input paced(long interval) {
    return with("interval", interval);
  }

  int splits() {
    return (int) number("splits");
  }

  /** How far behind the newest timestamp the watermark is, in milliseconds. */
  long bound() {
    return number("bound");
  }

  /** After how many milliseconds without a record a split is idle; 0 for never. */
  long idleAfter() {
    return number("idle-after");
  }

  /** Whether a split says nothing any more where this record would be. */
  boolean isSilent(int split, long position) {
    return split == number("silent-split") && position >= number("silent-from");
  }

  /** Where it is said that the input ends. */
  Path control() {
    return Path.of(control);
  }

  /** The event time of a record, in milliseconds since 1970. */
  long timestamp(int split, long position) {
    long tick = number("start") + position * interval(split) + position / GAP_EVERY * GAP;
    long jitter = Math.floorMod(mix(split * 1_000_003L + position), number("disorder") + 1);
    long timestamp = Math.floorDiv(tick - jitter, TIE) * TIE;
    return isLate(split, position) ? timestamp - number("late-by") : timestamp;
  }

  /** When a record can be read, in milliseconds since 1970. */
  long readableAt(int split, long position) {
    return number("start")
        + position * interval(split)
        + (split == number("slow-split") ? number("slow-by") : 0);
  }

  private long interval(int split) {
    return number("interval") * (split == number("sparse-split") ? number("sparse-by") : 1);
  }

  /** Whether a record is behind the watermark, or might be. */
  boolean isLate(int split, long position) {
    long every = number("late-every");
    return every > 0 && position % every == (split * 7L + 3) % every;
  }

  int key(int split, long position) {
    return split * KEYS + (int) (position % KEYS);
  }

  /** How many records of this key there are up to this one. */
  long countOfKey(long position) {
    return position / KEYS + 1;
  }

  /** Where a split ends if the input ends after so many records. */
  long end(int split, long records) {
    long all = split == number("sparse-split") ? records / number("sparse-by") : records;
    return split == number("silent-split") ? Math.min(all, number("silent-from")) : all;
  }

  /** Lets the input end soon. Returns how many records each split has then. */
  long endSoon() throws IOException {
    long records = (System.currentTimeMillis() + 1_000 - number("start")) / number("interval");
    Path end = control().resolve(LedgerSource.END);
    Path half = end.resolveSibling(LedgerSource.END + ".half");
    Files.writeString(half, Long.toString(records));
    Files.move(half, end, StandardCopyOption.ATOMIC_MOVE);
    return records;
  }

  private static long mix(long number) {
    long mixed = (number ^ number >>> 30) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
    return mixed ^ mixed >>> 31;
  }

  /** As arguments of a program. */
  List<String> toArguments() {
    List<String> arguments = new ArrayList<>();
    numbers.forEach((name, number) -> arguments.add(name + "=" + number));
    arguments.add(CONTROL + "=" + control);
    return arguments;
  }

  /** From a program's arguments, which may have others, too. */
  static Input fromArguments(Map<String, String> arguments) {
    Map<String, Long> numbers = new TreeMap<>();
    USUAL.keySet().forEach(name -> numbers.put(name, Long.valueOf(arguments.get(name))));
    return new Input(numbers, arguments.get(CONTROL));
  }
}
