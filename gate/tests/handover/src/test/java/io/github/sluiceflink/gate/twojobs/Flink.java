package io.github.sluiceflink.gate.twojobs;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The REST interface of one JobManager with one job. */
final class Flink {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
  private final String address;

  Flink(int port) {
    address = "http://127.0.0.1:" + port;
  }

  /** A savepoint, and the number that Flink gave it. */
  record Savepoint(String path, long id) {}

  /** What a GET answers; nothing while nobody answers, or there is no such thing. */
  Optional<JsonNode> get(String path) throws InterruptedException {
    try {
      HttpResponse<String> response =
          client.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString());
      return response.statusCode() == 200
          ? Optional.of(JSON.readTree(response.body()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The state of the job and of its tasks: RUNNING if all of them run. */
  String state(String job) throws InterruptedException {
    Optional<JsonNode> found = get("/jobs/" + job);
    if (found.isEmpty()) {
      return "ABSENT";
    }
    String state = found.get().get("state").asText();
    if (!state.equals("RUNNING")) {
      return state;
    }
    for (JsonNode vertex : found.get().get("vertices")) {
      JsonNode tasks = vertex.get("tasks");
      int up = tasks.get("RUNNING").asInt() + tasks.get("FINISHED").asInt();
      if (up < vertex.get("parallelism").asInt()) {
        return "STARTING";
      }
    }
    return state;
  }

  long taskManagers() throws InterruptedException {
    return get("/taskmanagers").map(it -> (long) it.get("taskmanagers").size()).orElse(0L);
  }

  /** The last checkpoint that completed; 0 if there is none. */
  long completedCheckpoint(String job) throws InterruptedException {
    return get("/jobs/" + job + "/checkpoints")
        .map(it -> it.path("latest").path("completed").path("id").asLong(0))
        .orElse(0L);
  }

  /** A savepoint in passing. */
  Savepoint savepoint(String job, String directory) throws Exception {
    return await(
        job,
        post(
            "/jobs/" + job + "/savepoints",
            "{\"cancel-job\": false, \"target-directory\": \"" + directory + "\"}"));
  }

  /** Stops the job with a savepoint. */
  Savepoint stop(String job, String directory, boolean drain) throws Exception {
    return await(job, triggerStop(job, directory, drain));
  }

  /** Begins to stop the job with a savepoint. Returns what to ask for. */
  String triggerStop(String job, String directory, boolean drain) throws Exception {
    return post(
        "/jobs/" + job + "/stop",
        "{\"drain\": " + drain + ", \"targetDirectory\": \"" + directory + "\"}");
  }

  /** Waits for what was triggered. */
  Savepoint await(String job, String trigger) throws Exception {
    JsonNode operation =
        Wait.forValue(
            "the savepoint " + trigger,
            Deployment.PATIENCE,
            () ->
                get("/jobs/" + job + "/savepoints/" + trigger)
                    .filter(it -> it.at("/status/id").asText().equals("COMPLETED"))
                    .map(it -> it.get("operation")));
    if (!operation.hasNonNull("location")) {
      throw new IOException("No savepoint: " + operation.path("failure-cause"));
    }
    String path = operation.get("location").asText();
    return new Savepoint(path, Checkpoints.idOf(path));
  }

  private String post(String path, String body) throws Exception {
    HttpResponse<String> response =
        client.send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 202) {
      throw new IOException(path + ": " + response.statusCode() + " " + response.body());
    }
    return JSON.readTree(response.body()).get("request-id").asText();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(address + path)).timeout(Duration.ofSeconds(5));
  }
}
