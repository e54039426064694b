package io.github.sluiceflink.gate.record;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** The API server of a cluster: requests as this process's service account. */
final class ApiServer {

  private static final long LONGEST_RETRY_AFTER_S = 300;

  private final ClusterAccess access;
  private final Duration limit;
  private final HttpClient client;
  private final AtomicLong requests = new AtomicLong();

  /**
   * @param limit how long an answer may take
   */
  ApiServer(ClusterAccess access, Duration limit) {
    this.access = access;
    this.limit = limit;
    this.client =
        HttpClient.newBuilder()
            // A watch and the writes beside it do not share the fate of one connection.
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(limit.dividedBy(2))
            // The API server is inside the cluster, where no proxy of the job's leads.
            .proxy(HttpClient.Builder.NO_PROXY)
            .sslContext(ClusterTrust.in(access.authority()))
            .build();
  }

  /** How many requests were sent so far. */
  long requests() {
    return requests.get();
  }

  /** An answer, whatever its status. */
  static final class Answer {
    final int status;
    final Optional<String> retryAfter;
    final byte[] body;

    Answer(HttpResponse<byte[]> response) {
      this.status = response.statusCode();
      this.retryAfter = response.headers().firstValue("Retry-After");
      this.body = response.body();
    }

    /** What the API server says about a request that it did not carry out. */
    String message() {
      try {
        JsonNode message = RecordJson.MAPPER.readTree(body).path("message");
        return message.isTextual() ? message.textValue() : "without a reason";
      } catch (IOException e) {
        return "without a reason";
      }
    }

    long pauseMs() {
      try {
        long seconds = retryAfter.map(Long::parseLong).orElse(0L);
        return TimeUnit.SECONDS.toMillis(Math.max(0, Math.min(seconds, LONGEST_RETRY_AFTER_S)));
      } catch (NumberFormatException e) {
        return 0;
      }
    }
  }

  CompletableFuture<Answer> get(String path) {
    return ask("GET", path, Optional.empty(), "application/json");
  }

  CompletableFuture<Answer> mergePatch(String path, byte[] json) {
    return ask("PATCH", path, Optional.of(json), "application/merge-patch+json");
  }

  CompletableFuture<Answer> post(String path, byte[] json) {
    return ask("POST", path, Optional.of(json), "application/json");
  }

  /** Fails with an {@link OutageException} if there is no answer. */
  private CompletableFuture<Answer> ask(
      String method, String path, Optional<byte[]> body, String type) {
    String token;
    try {
      token = access.token();
    } catch (OutageException e) {
      return CompletableFuture.failedFuture(e);
    }
    return send(method, path, body, type, token)
        .thenCompose(
            answer -> {
              if (answer.status == 401) {
                try {
                  String now = access.token();
                  if (!now.equals(token)) {
                    return send(method, path, body, type, now);
                  }
                } catch (OutageException e) {
                  return CompletableFuture.failedFuture(e);
                }
              }
              return CompletableFuture.completedFuture(answer);
            });
  }

  private CompletableFuture<Answer> send(
      String method, String path, Optional<byte[]> body, String type, String token) {
    HttpRequest request =
        request(path, token)
            .timeout(limit)
            .header("Content-Type", type)
            .method(method, body.map(BodyPublishers::ofByteArray).orElseGet(BodyPublishers::noBody))
            .build();
    CancellableBody received = new CancellableBody();
    return client
        .sendAsync(request, response -> received)
        .orTimeout(limit.plusSeconds(2).toMillis(), TimeUnit.MILLISECONDS)
        .handle(
            (response, problem) -> {
              if (problem != null) {
                received.cancel();
                throw new CompletionException(outage(problem));
              }
              return new Answer(response);
            });
  }

  private HttpRequest.Builder request(String path, String token) {
    requests.incrementAndGet();
    return HttpRequest.newBuilder(URI.create(access.address() + path))
        .header("Authorization", "Bearer " + token)
        .header("Accept", "application/json")
        .header("User-Agent", "sluice-gate");
  }

  /** Receives an answer that goes on, line by line. The calls come from threads of the client. */
  interface Lines {

    /** The API server has agreed; lines follow. */
    void begun();

    void line(String line);

    /** Nothing more follows: the API server has ended the answer, or the connection broke. */
    void ended();

    /** The API server did not agree. */
    void refused(Answer answer);

    /** There was no answer. */
    void failed(OutageException problem);
  }

  /** Asks for an answer that goes on until it is cancelled, which is what the result does. */
  Runnable stream(String path, Lines lines) {
    HttpRequest request;
    try {
      request = request(path, access.token()).build();
    } catch (OutageException e) {
      lines.failed(e);
      return () -> {};
    }
    StreamBody body = new StreamBody(lines);
    CompletableFuture<HttpResponse<byte[]>> response = client.sendAsync(request, body::of);
    response.whenComplete(
        (answer, problem) -> {
          if (body.begun) {
            lines.ended();
          } else if (problem != null) {
            lines.failed(outage(problem));
          } else {
            lines.refused(new Answer(answer));
          }
        });
    return () -> {
      body.cancel();
      response.cancel(true);
    };
  }

  /** Why there was no answer, as one sentence for the user. */
  OutageException outage(Throwable problem) {
    Throwable cause = problem;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof OutageException) {
      return (OutageException) cause;
    }
    String server = "the API server at " + access.address();
    if (cause instanceof HttpTimeoutException || cause instanceof TimeoutException) {
      return new OutageException(
          server + " did not answer within " + limit.toSeconds() + " s", cause);
    }
    for (Throwable it = cause; it != null; it = it.getCause()) {
      if (it instanceof CertificateException) {
        return new OutageException(
            server
                + " is not trusted ("
                + it.getMessage()
                + "), because its certificate has to be one of the authority in "
                + access.authority(),
            cause);
      }
    }
    String reason =
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    return new OutageException(server + " cannot be reached (" + reason + ")", cause);
  }

  /** A body that can be given up while it comes. */
  private static final class CancellableBody implements BodySubscriber<byte[]> {

    private final BodySubscriber<byte[]> bytes = BodySubscribers.ofByteArray();
    private volatile Flow.Subscription subscription;

    @Override
    public CompletionStage<byte[]> getBody() {
      return bytes.getBody();
    }

    @Override
    public void onSubscribe(Flow.Subscription begun) {
      subscription = begun;
      bytes.onSubscribe(begun);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      bytes.onNext(buffers);
    }

    @Override
    public void onError(Throwable problem) {
      bytes.onError(problem);
    }

    @Override
    public void onComplete() {
      bytes.onComplete();
    }

    void cancel() {
      Flow.Subscription begun = subscription;
      if (begun != null) {
        begun.cancel();
      }
    }
  }

  /** Hands on the lines of an answer that goes on, and keeps what a refusal says. */
  private static final class StreamBody implements Flow.Subscriber<String> {

    private final Lines lines;
    private volatile boolean begun;
    private volatile Flow.Subscription subscription;

    StreamBody(Lines lines) {
      this.lines = lines;
    }

    BodySubscriber<byte[]> of(HttpResponse.ResponseInfo response) {
      if (response.statusCode() != 200) {
        return BodySubscribers.ofByteArray();
      }
      begun = true;
      lines.begun();
      return BodySubscribers.mapping(
          BodySubscribers.fromLineSubscriber(this, it -> null, StandardCharsets.UTF_8, null),
          it -> new byte[0]);
    }

    @Override
    public void onSubscribe(Flow.Subscription begins) {
      subscription = begins;
      begins.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      lines.line(line);
    }

    @Override
    public void onError(Throwable problem) {
      // The response says so, too.
    }

    @Override
    public void onComplete() {
      // The response says so, too.
    }

    void cancel() {
      Flow.Subscription begins = subscription;
      if (begins != null) {
        begins.cancel();
      }
    }
  }
}
