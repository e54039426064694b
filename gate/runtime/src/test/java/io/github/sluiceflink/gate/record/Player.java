package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.Report;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A store in a process of its own, for tests in both languages: it does what the lines on its
 * standard input say, and writes a line for everything that it is told.
 *
 * <pre>
 * watch                      then READ version microseconds data, ABSENT, TROUBLE sentence
 * put expected data          WROTE version, REFUSED sentence or FAILED sentence
 * write expected attempt     the same, of a report of the blue job with this attempt
 * count times                adds 1 to the attempt so often, each on the condition of what was read;
 *                            COUNTED attempt for each
 * requests                   REQUESTS number
 * </pre>
 */
public final class Player implements RecordStore.Listener {

  private final RecordStore store;
  private long version;
  private HandoverRecord handover;

  private Player(RecordStore store) {
    this.store = store;
  }

  /**
   * Either {@code directory PATH}, or {@code configmap ADDRESS SERVICE-ACCOUNT NAMESPACE NAME
   * LIMIT-S LONGEST-SILENCE-MS}.
   */
  public static void main(String[] arguments) throws Exception {
    RecordStore store =
        arguments[0].equals("directory")
            ? RecordPlace.directory(arguments[1]).open()
            : new KubernetesRecordStore(
                arguments[3],
                arguments[4],
                new ClusterAccess(URI.create(arguments[1]), Path.of(arguments[2])),
                Duration.ofSeconds(Long.parseLong(arguments[5])),
                Long.parseLong(arguments[6]));
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    Player player = new Player(store);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      player.play(line.split(" ", 3));
    }
    store.close();
  }

  private void play(String[] words) throws Exception {
    switch (words[0]) {
      case "watch":
        store.watch(this);
        break;
      case "put":
        answer(store.put(Long.parseLong(words[1]), decode(words[2])));
        break;
      case "write":
        long attempt = Long.parseLong(words[2]);
        answer(store.write(Long.parseLong(words[1]), read(), Color.BLUE, report(attempt)));
        break;
      case "count":
        for (int left = Integer.parseInt(words[1]); left > 0; left--) {
          count();
        }
        say("DONE");
        break;
      case "requests":
        say("REQUESTS " + ((KubernetesRecordStore) store).requests());
        break;
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  private static Change report(long attempt) {
    return Change.report(Report.builder().createdFor(2).attempt(attempt).incarnation(7).build());
  }

  /**
   * One more; what was refused is tried again with what is there by then. So is what came too late
   * to be believed, because that has counted nothing.
   */
  private void count() throws Exception {
    while (true) {
      long expected;
      HandoverRecord seen;
      synchronized (this) {
        while (handover == null) {
          wait();
        }
        expected = version;
        seen = handover;
      }
      long attempt = seen.blue().map(Report::attempt).orElse(0L) + 1;
      try {
        store.write(expected, seen, Color.BLUE, report(attempt)).get();
        say("COUNTED " + attempt);
        return;
      } catch (ExecutionException e) {
        Throwable cause = e.getCause();
        boolean sleptThroughVersions =
            cause instanceof OutageException && cause.getMessage().endsWith(" is there by now)");
        if (!(cause instanceof WriteRefusedException) && !sleptThroughVersions) {
          throw e;
        }
      }
    }
  }

  private synchronized HandoverRecord read() {
    return handover;
  }

  private static void answer(CompletableFuture<Long> written) {
    written.whenComplete(
        (version, problem) -> {
          if (problem == null) {
            say("WROTE " + version);
          } else {
            boolean isRefused = problem instanceof WriteRefusedException;
            say((isRefused ? "REFUSED " : "FAILED ") + problem.getMessage());
          }
        });
  }

  @Override
  public void onRead(long read, HandoverRecord now) {
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    synchronized (this) {
      version = read;
      handover = now;
      notifyAll();
    }
    say("READ " + read + " " + micros + " " + encode(now));
  }

  @Override
  public void onAbsent() {
    say("ABSENT");
  }

  @Override
  public void onTrouble(String sentence) {
    say("TROUBLE " + sentence);
  }

  static String encode(HandoverRecord handover) {
    String json =
        new String(RecordJson.write(RecordCodec.encode(handover)), StandardCharsets.UTF_8);
    return json.replace("\n", "");
  }

  static HandoverRecord decode(String json) throws Exception {
    return RecordCodec.decode(RecordJson.read(json.getBytes(StandardCharsets.UTF_8)));
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
