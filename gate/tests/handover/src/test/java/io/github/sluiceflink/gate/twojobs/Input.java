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
record Input(
    int splits,
    long start,
    long interval,
    long disorder,
    long bound,
    long idleAfter,
    int silentSplit,
    long silentFrom,
    int slowSplit,
    long slowBy,
    int lateEvery,
    long lateBy,
    int sparseSplit,
    long sparseBy,
    String control)
    implements Serializable {

  /** Keys of one split; no key is in two, so that the order within a key is the split's. */
  static final int KEYS = 3;

  /** The length of the windows, in milliseconds. */
  static final long WINDOW = 1_000;

  private static final long TIE = 5;
  private static final long GAP_EVERY = 400;
  private static final long GAP = 150;

  /** Four splits with a record each 4 ms, from now on. */
  static Input of(Path control) {
    return new Input(
        4,
        System.currentTimeMillis(),
        4,
        40,
        60,
        0,
        -1,
        0,
        -1,
        0,
        0,
        0,
        -1,
        1,
        control.toAbsolutePath().toString());
  }

  /** One split says nothing after so many records. */
  Input withSilentSplit(int split, long from) {
    return new Input(
        splits,
        start,
        interval,
        disorder,
        bound,
        500,
        split,
        from,
        slowSplit,
        slowBy,
        lateEvery,
        lateBy,
        sparseSplit,
        sparseBy,
        control);
  }

  /** What one split has comes so much later, in milliseconds, than what the others have. */
  Input withSlowSplit(int split, long by) {
    return new Input(
        splits,
        start,
        interval,
        disorder,
        bound,
        idleAfter,
        silentSplit,
        silentFrom,
        split,
        by,
        lateEvery,
        lateBy,
        sparseSplit,
        sparseBy,
        control);
  }

  /** So many milliseconds late is each of so many records. */
  Input withLateRecords(int every, long by) {
    return new Input(
        splits,
        start,
        interval,
        disorder,
        bound,
        idleAfter,
        silentSplit,
        silentFrom,
        slowSplit,
        slowBy,
        every,
        by,
        sparseSplit,
        sparseBy,
        control);
  }

  /** One split has only one record where each of the others has so many. */
  Input withSparseSplit(int split, long by) {
    return new Input(
        splits,
        start,
        interval,
        disorder,
        bound,
        idleAfter,
        silentSplit,
        silentFrom,
        slowSplit,
        slowBy,
        lateEvery,
        lateBy,
        split,
        by,
        control);
  }

  /** With so many milliseconds between two records of a split. */
  Input paced(long interval) {
    return new Input(
        splits,
        start,
        interval,
        disorder,
        bound,
        idleAfter,
        silentSplit,
        silentFrom,
        slowSplit,
        slowBy,
        lateEvery,
        lateBy,
        sparseSplit,
        sparseBy,
        control);
  }

  /** The event time of a record, in milliseconds since 1970. */
  long timestamp(int split, long position) {
    long tick = start + position * interval(split) + position / GAP_EVERY * GAP;
    long jitter = Math.floorMod(mix(split * 1_000_003L + position), disorder + 1);
    long timestamp = Math.floorDiv(tick - jitter, TIE) * TIE;
    return isLate(split, position) ? timestamp - lateBy : timestamp;
  }

  /** When a record can be read, in milliseconds since 1970. */
  long readableAt(int split, long position) {
    return start + position * interval(split) + (split == slowSplit ? slowBy : 0);
  }

  private long interval(int split) {
    return split == sparseSplit ? interval * sparseBy : interval;
  }

  /** Whether a record is behind the watermark, or might be. */
  boolean isLate(int split, long position) {
    return lateEvery > 0 && position % lateEvery == (split * 7L + 3) % lateEvery;
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
    long all = split == sparseSplit ? records / sparseBy : records;
    return split == silentSplit ? Math.min(all, silentFrom) : all;
  }

  /** Lets the input end soon. Returns how many records each split has then. */
  long endSoon() throws IOException {
    long records = (System.currentTimeMillis() + 1_000 - start) / interval;
    Path half = Path.of(control, LedgerSource.END + ".half");
    Files.writeString(half, Long.toString(records));
    Files.move(half, Path.of(control, LedgerSource.END), StandardCopyOption.ATOMIC_MOVE);
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
    Map<String, Object> all = new TreeMap<>();
    all.put("splits", splits);
    all.put("start", start);
    all.put("interval", interval);
    all.put("disorder", disorder);
    all.put("bound", bound);
    all.put("idle-after", idleAfter);
    all.put("silent-split", silentSplit);
    all.put("silent-from", silentFrom);
    all.put("slow-split", slowSplit);
    all.put("slow-by", slowBy);
    all.put("late-every", lateEvery);
    all.put("late-by", lateBy);
    all.put("sparse-split", sparseSplit);
    all.put("sparse-by", sparseBy);
    all.put("control", control);
    all.forEach((name, value) -> arguments.add(name + "=" + value));
    return arguments;
  }

  static Input fromArguments(Map<String, String> arguments) {
    return new Input(
        Integer.parseInt(arguments.get("splits")),
        Long.parseLong(arguments.get("start")),
        Long.parseLong(arguments.get("interval")),
        Long.parseLong(arguments.get("disorder")),
        Long.parseLong(arguments.get("bound")),
        Long.parseLong(arguments.get("idle-after")),
        Integer.parseInt(arguments.get("silent-split")),
        Long.parseLong(arguments.get("silent-from")),
        Integer.parseInt(arguments.get("slow-split")),
        Long.parseLong(arguments.get("slow-by")),
        Integer.parseInt(arguments.get("late-every")),
        Long.parseLong(arguments.get("late-by")),
        Integer.parseInt(arguments.get("sparse-split")),
        Long.parseLong(arguments.get("sparse-by")),
        arguments.get("control"));
  }
}
