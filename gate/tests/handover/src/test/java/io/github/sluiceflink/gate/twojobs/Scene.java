package io.github.sluiceflink.gate.twojobs;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.record.RecordPlace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Everything of one test: its directory, its input, its record, its deployments. */
final class Scene implements AutoCloseable {

  static final Job BLUE = Job.of(Color.BLUE, 1);
  static final Job GREEN = Job.of(Color.GREEN, 2);

  private final String name;
  private final Path directory;
  private final List<Deployment> deployments = new ArrayList<>();
  private final long began = System.currentTimeMillis();
  private final Consumer<Deployment> toldWhere;
  private final Operator operator;
  private Input input;
  private String counted = "nothing was counted";
  private boolean good;

  /** With a handover record in a directory. */
  Scene(String name) throws IOException {
    this(name, Optional.empty(), it -> {});
  }

  /**
   * With a handover record elsewhere.
   *
   * @param toldWhere tells a deployment where the record is
   */
  Scene(String name, RecordPlace place, Consumer<Deployment> toldWhere) throws IOException {
    this(name, Optional.of(place), toldWhere);
  }

  private Scene(String name, Optional<RecordPlace> elsewhere, Consumer<Deployment> toldWhere)
      throws IOException {
    this.name = name;
    directory =
        Files.createDirectories(
            Path.of(System.getProperty("gate.runs"), name + "-" + System.currentTimeMillis()));
    input = Input.of(directory);
    this.toldWhere =
        elsewhere.isPresent() ? toldWhere : it -> it.with("bluegreen.handover.directory", record());
    operator =
        new Operator(
            elsewhere.orElseGet(() -> RecordPlace.directory(record().toString())), this::say);
  }

  Input input() {
    return input;
  }

  /** Before the first deployment. */
  Scene with(Input other) {
    input = other;
    return this;
  }

  Operator operator() {
    return operator;
  }

  /** Where the handover record is, if it is in a directory. */
  Path record() {
    return directory.resolve("record");
  }

  /** The deployment of a job, not started yet. */
  Deployment deployment(Job job, String name) throws IOException {
    Deployment deployment =
        new Deployment(job.color().name(), name, directory, input)
            .with("bluegreen.handover.epoch", job.createdFor());
    toldWhere.accept(deployment);
    deployments.add(deployment);
    return deployment;
  }

  /** Says what happened, where and when: several handovers may be under way. */
  void say(String what) {
    System.out.printf("%s %6d ms: %s%n", name, System.currentTimeMillis() - began, what);
  }

  /** Counts what both jobs have committed, and fails if anything is missing, doubled or odd. */
  Ledger check(long records, OptionalLong cut) throws IOException {
    Ledger ledger = new Ledger(directory.resolve("output"), input, records, "BLUE", cut);
    counted = ledger.toString();
    ledger.check();
    good = true;
    return ledger;
  }

  /** Kills every process. What a test that failed has written stays. */
  @Override
  public void close() {
    operator.close();
    deployments.forEach(Deployment::close);
    say((good ? "GOOD: " : "BAD, see " + directory + ": ") + counted);
    if (good) {
      delete();
    }
  }

  private void delete() {
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
    } catch (IOException | java.io.UncheckedIOException e) {
      System.out.println("  " + directory + " is still there: " + e);
    }
  }
}
