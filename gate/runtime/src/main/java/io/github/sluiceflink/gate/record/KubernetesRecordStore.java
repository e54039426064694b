package io.github.sluiceflink.gate.record;

import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import io.github.sluiceflink.gate.handover.UnreadableRecordException;
import io.github.sluiceflink.gate.record.ApiServer.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/**
 * The record in a ConfigMap.
 *
 * <p>It is listed once, and then watched from the version of that list on. A watch that ends is
 * taken up where it ended; after a fault the ConfigMap is listed again. So the number of requests
 * does not depend on how often the record changes, beside those that write it.
 *
 * <p>Versions are the ConfigMap's {@code resourceVersion}, compared as numbers. Kubernetes promises
 * since 1.35 (KEP-5504) that the versions of one kind of objects can be compared like that; before,
 * it was not promised, but always so with etcd, where they are the revision of the whole store. A
 * ConfigMap that is deleted and created again therefore has a larger one.
 *
 * <p>A write is a merge patch with the version that was read, and holds only the keys that change.
 */
final class KubernetesRecordStore extends ThreadedStore {

  /**
   * The API server sends a bookmark every minute to a watch in which nothing happens. Silence for
   * so long is taken for a connection that is dead without a sign.
   */
  private static final long LONGEST_SILENCE_MS = 90_000;

  /** How long an answer may take. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /** How long one watch lasts at least, in seconds; up to half as much again, as chance has it. */
  private static final int WATCH_LASTS_S = 240;

  /** A watch that ends sooner has failed. */
  private static final long SHORT_MS = 1000;

  /**
   * After so long without news of what a refused write collided with, the watch is taken for dead.
   */
  private static final long NEWS_AFTER_REFUSAL_MS = 500;

  private final String namespace;
  private final String name;
  private final ApiServer server;
  private final long longestSilenceMs;
  private final Pause pause = new Pause();
  private final List<Refusal> refusals = new ArrayList<>();

  private Optional<Telling> telling = Optional.empty();

  /** The latest version that was seen, of the ConfigMap or of its absence. */
  private long known;

  /** Counts the lists and watches begun; what belongs to an earlier one has no effect. */
  private long turn;

  private volatile Runnable watch = () -> {};

  KubernetesRecordStore(String namespace, String name, ClusterAccess access) {
    this(namespace, name, access, LIMIT, LONGEST_SILENCE_MS);
  }

  /** For tests, which cannot wait so long, or run on a machine that is slow. */
  KubernetesRecordStore(
      String namespace, String name, ClusterAccess access, Duration limit, long longestSilenceMs) {
    super("the ConfigMap \"" + namespace + "/" + name + "\"");
    this.namespace = namespace;
    this.name = name;
    this.server = new ApiServer(access, limit);
    this.longestSilenceMs = longestSilenceMs;
  }

  /** A write that was refused, of which the listener does not know yet why. */
  private static final class Refusal {
    final long expected;
    final CompletableFuture<Long> answer;

    Refusal(long expected, CompletableFuture<Long> answer) {
      this.expected = expected;
      this.answer = answer;
    }
  }

  /** How many requests were sent so far. */
  long requests() {
    return server.requests();
  }

  private String configMaps() {
    return "/api/v1/namespaces/" + namespace + "/configmaps";
  }

  private String onlyThisOne() {
    // With this selector a Role that names the ConfigMap is enough.
    return "?fieldSelector=metadata.name%3D" + name;
  }

  @Override
  void begin(Telling begun) {
    telling = Optional.of(begun);
    list();
  }

  /** Begins anew, with what is there. */
  private void list() {
    watch.run();
    long mine = ++turn;
    long before = known;
    server
        .get(configMaps() + onlyThisOne())
        .whenComplete(
            (answer, problem) ->
                run(
                    () -> {
                      if (mine == turn) {
                        listed(before, answer, problem);
                      }
                    }));
  }

  private void listed(long before, Answer answer, Throwable problem) {
    try {
      if (problem != null) {
        throw server.outage(problem);
      }
      if (answer.status != 200) {
        throw refusal("list", answer);
      }
      JsonNode list = parse(answer.body);
      long version = version(list);
      if (version < before) {
        throw new OutageException(
            "the API server went back to a version before "
                + before
                + ", as one does that was restored from a backup: the handover in "
                + place()
                + " cannot go on with this process, restart the job",
            null);
      }
      JsonNode items = list.path("items");
      if (items.isEmpty()) {
        absent(version);
      } else {
        read(items.get(0));
      }
      answerRefusals();
      reached();
      watchFrom(version);
    } catch (OutageException e) {
      answerRefusals();
      again(e);
    }
  }

  /** Tells of trouble, and begins anew after a pause. */
  private void again(OutageException problem) {
    telling.ifPresent(it -> it.trouble(problem.getMessage()));
    againAfter(Math.max(pause.next(), problem.pauseMs()));
  }

  private void againAfter(long milliseconds) {
    long mine = ++turn;
    later(
        milliseconds,
        () -> {
          if (mine == turn) {
            list();
          }
        });
  }

  private void watchFrom(long version) {
    new Watch(++turn, version).begin();
  }

  /** One watch. All but what {@link ApiServer.Lines} calls happens on the store's thread. */
  private final class Watch implements ApiServer.Lines {

    private final long mine;
    private final long begun = System.nanoTime();
    private long heard = begun;
    private long version;

    Watch(long mine, long version) {
      this.mine = mine;
      this.version = version;
    }

    void begin() {
      int lasts = WATCH_LASTS_S + ThreadLocalRandom.current().nextInt(WATCH_LASTS_S / 2);
      watch =
          server.stream(
              configMaps()
                  + onlyThisOne()
                  + "&watch=true&allowWatchBookmarks=true&resourceVersion="
                  + version
                  + "&timeoutSeconds="
                  + lasts,
              this);
      if (isClosed()) {
        watch.run();
      }
      checkSilence();
    }

    private void mine(Runnable task) {
      run(
          () -> {
            if (mine == turn) {
              task.run();
            }
          });
    }

    private void checkSilence() {
      long left = longestSilenceMs - millisecondsSince(heard);
      if (left <= 0) {
        watch.run();
        watchFrom(version);
      } else {
        later(left, () -> mine(this::checkSilence));
      }
    }

    @Override
    public void begun() {
      mine(() -> heard = System.nanoTime());
    }

    @Override
    public void line(String line) {
      mine(() -> heard(line));
    }

    private void heard(String line) {
      heard = System.nanoTime();
      try {
        JsonNode event = RecordJson.MAPPER.readTree(line);
        JsonNode object = event.path("object");
        switch (event.path("type").asText()) {
          case "ADDED":
          case "MODIFIED":
            version = version(object);
            read(object);
            break;
          case "DELETED":
            version = version(object);
            absent(version);
            break;
          case "BOOKMARK":
            version = version(object);
            break;
          default:
            // An error: most often the version is so old that nobody knows what came after it.
            listSoon();
            return;
        }
        pause.reset();
      } catch (IOException e) {
        again(server.outage(e));
      }
    }

    /** At once, but not again and again. */
    private void listSoon() {
      if (millisecondsSince(begun) < SHORT_MS) {
        againAfter(pause.next());
      } else {
        list();
      }
    }

    @Override
    public void ended() {
      mine(
          () -> {
            if (millisecondsSince(begun) < SHORT_MS) {
              againAfter(pause.next());
            } else {
              pause.reset();
              watchFrom(version);
            }
          });
    }

    @Override
    public void refused(Answer answer) {
      mine(
          () -> {
            if (answer.status == 410) {
              listSoon();
            } else {
              again(refusal("watch", answer));
            }
          });
    }

    @Override
    public void failed(OutageException problem) {
      mine(() -> again(problem));
    }
  }

  private static long millisecondsSince(long nanoTime) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanoTime);
  }

  private void read(JsonNode configMap) throws OutageException {
    long version = version(configMap);
    if (version < known) {
      return;
    }
    known = version;
    try {
      JsonNode data = configMap.path("data");
      HandoverRecord handover =
          RecordCodec.decode(
              RecordJson.strings(data.isObject() ? data : RecordJson.MAPPER.createObjectNode()));
      telling.ifPresent(it -> it.read(version, handover));
    } catch (UnreadableRecordException | IOException e) {
      telling.ifPresent(it -> it.trouble(e.getMessage() + " (in " + place() + ")"));
    }
    answerRefusalsBefore(known);
  }

  private void absent(long version) {
    if (version < known) {
      return;
    }
    known = version;
    telling.ifPresent(Telling::absent);
    answerRefusalsBefore(known);
  }

  private static JsonNode parse(byte[] json) throws OutageException {
    try {
      return RecordJson.MAPPER.readTree(json);
    } catch (IOException e) {
      throw new OutageException("the API server did not answer in JSON", e);
    }
  }

  private static long version(JsonNode object) throws OutageException {
    String text = object.path("metadata").path("resourceVersion").asText();
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new OutageException(
          "the API server gives the resourceVersion \""
              + text
              + "\", which is no number, so that nobody can tell which state is the later one",
          e);
    }
  }

  private OutageException refusal(String verb, Answer answer) {
    String sentence;
    switch (answer.status) {
      case 401:
        sentence = "the API server does not accept the token of this pod's service account";
        break;
      case 403:
        sentence =
            "this pod's service account must not "
                + verb
                + " "
                + place()
                + ": grant it list, watch and patch on that ConfigMap";
        break;
      case 404:
        sentence = "what answers as the API server knows no ConfigMaps";
        break;
      default:
        sentence =
            "the API server did not " + verb + " " + place() + " (status " + answer.status + ")";
        break;
    }
    return new OutageException(sentence + " [" + answer.message() + "]", answer.pauseMs(), null);
  }

  @Override
  CompletableFuture<Long> carryOut(
      long expected, Optional<HandoverRecord> read, HandoverRecord next) {
    if (telling.isPresent() && expected < known) {
      return CompletableFuture.failedFuture(refused(expected));
    }
    String configMap = configMaps() + "/" + name;
    CompletableFuture<Answer> asked =
        expected == 0
            ? server.post(configMaps(), RecordPatch.creating(name, next))
            : server.mergePatch(configMap, RecordPatch.of(expected, read, next));
    CompletableFuture<Long> written = new CompletableFuture<>();
    asked.whenComplete(
        (answer, problem) ->
            run(
                () -> {
                  try {
                    if (problem != null) {
                      throw server.outage(problem);
                    }
                    answered(expected, answer, written);
                  } catch (OutageException e) {
                    written.completeExceptionally(e);
                  }
                }));
    return written;
  }

  private void answered(long expected, Answer answer, CompletableFuture<Long> written)
      throws OutageException {
    switch (answer.status) {
      case 200:
      case 201:
        JsonNode configMap = parse(answer.body);
        long version = version(configMap);
        read(configMap);
        written.complete(version);
        break;
      case 404:
      case 409:
        if (answer.status == 404 && expected == 0) {
          throw new OutageException(
              "there is no namespace for " + place() + " [" + answer.message() + "]", null);
        }
        if (!telling.isPresent() || expected < known) {
          written.completeExceptionally(refused(expected));
        } else {
          awaitNews(new Refusal(expected, written));
        }
        break;
      default:
        throw refusal(expected == 0 ? "create" : "patch", answer);
    }
  }

  /**
   * The listener is told what is there before it is told that a write was refused: else it would
   * try the same again.
   */
  private void awaitNews(Refusal refusal) {
    refusals.add(refusal);
    later(
        NEWS_AFTER_REFUSAL_MS,
        () -> {
          if (refusals.contains(refusal)) {
            list();
          }
        });
  }

  private void answerRefusalsBefore(long version) {
    List<Refusal> answered = new ArrayList<>();
    refusals.removeIf(it -> it.expected < version && answered.add(it));
    answered.forEach(it -> it.answer.completeExceptionally(refused(it.expected)));
  }

  private void answerRefusals() {
    answerRefusalsBefore(Long.MAX_VALUE);
  }

  private WriteRefusedException refused(long expected) {
    return new WriteRefusedException(
        place() + " is not there in version " + expected + ", for which the write was made");
  }

  @Override
  void end() {
    watch.run();
  }
}
