package io.github.sluiceflink.gate.record;

import static io.github.sluiceflink.gate.record.Samples.ABORT;
import static io.github.sluiceflink.gate.record.Samples.PREPARE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRecordStoreTest {

  @TempDir Path directory;

  private RecordStore store;
  private final Told told = new Told();

  @BeforeEach
  void open() {
    store = RecordPlace.directory(directory.toString()).open();
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void theListenerIsToldOfWhatIsThereAndOfEveryChange() throws Exception {
    store.watch(told);
    told.expect("absent");
    assertEquals(1, get(store.put(0, PREPARE)));
    told.expect("1 PREPARE");
    assertEquals(2, get(store.write(1, PREPARE, Color.BLUE, ABORT)));
    told.expect("2 ABORT");
    told.expectNothing();
  }

  @Test
  void whatWasThereBeforeIsToldFirst() throws Exception {
    get(store.put(0, PREPARE));
    get(store.write(1, PREPARE, Color.BLUE, ABORT));
    store.watch(told);
    told.expect("2 ABORT");
  }

  @Test
  void aWriteForAnotherVersionIsRefusedAndTheListenerKnowsWhyByThen() throws Exception {
    get(store.put(0, PREPARE));
    assertEquals(
        "the handover record in "
            + directory
            + " is in version 1, and the write was made for version 0",
        refusal(store.put(0, PREPARE)));
    refusal(store.put(2, PREPARE));
    store.watch(told);
    told.expect("1 PREPARE");
    try (RecordStore operator = RecordPlace.directory(directory.toString()).open()) {
      get(operator.write(1, PREPARE, Color.BLUE, ABORT));
    }
    CompletableFuture<String> next = new CompletableFuture<>();
    store
        .write(1, PREPARE, Color.BLUE, ABORT)
        .whenComplete(
            (version, problem) -> {
              // On the store's thread: what is told later is not there yet.
              try {
                next.complete(told.next());
              } catch (InterruptedException | AssertionError e) {
                next.completeExceptionally(e);
              }
            });
    assertEquals("2 ABORT", next.get(30, TimeUnit.SECONDS));
  }

  @Test
  void aChangeThatChangesNothingIsRefused() throws Exception {
    HandoverRecord aborted = PREPARE.with(Color.BLUE, ABORT);
    get(store.put(0, aborted));
    refusal(store.write(1, aborted, Color.BLUE, ABORT));
    assertEquals(Set.of(file(1)), files());
  }

  @Test
  void keysOfSomebodyElseStay() throws Exception {
    get(store.put(0, PREPARE));
    var data = RecordJson.read(Files.readAllBytes(directory.resolve(file(1))));
    data.put("note", "do not touch");
    Files.delete(directory.resolve(file(1)));
    Files.write(directory.resolve(file(1)), RecordJson.write(data));
    get(store.write(1, PREPARE, Color.BLUE, ABORT));
    var written = RecordJson.read(Files.readAllBytes(directory.resolve(file(2))));
    assertEquals("do not touch", written.get("note"));
    assertEquals("ABORT", written.get("phase"));
  }

  @Test
  void theLastVersionsStayAndNoUnfinishedFile() throws Exception {
    for (long version = 0; version < 40; version++) {
      get(store.put(version, PREPARE));
    }
    Set<String> expected =
        Stream.iterate(25L, it -> it + 1).limit(16).map(this::file).collect(Collectors.toSet());
    assertEquals(expected, files());
  }

  /**
   * A writer that slept between its look at the directory and its link, while others went on so far
   * that its version's name became free again.
   */
  @Test
  void aWriterThatSleptTooLongIsNotBelieved() throws Exception {
    RecordDirectory slow = new RecordDirectory(directory);
    for (long version = 0; version < 30; version++) {
      slow.write(version, PREPARE);
    }
    IOException unknown = assertThrows(IOException.class, () -> slow.link(3, Map.of()));
    assertTrue(unknown.getMessage().contains("version 30 is there by now"), unknown.getMessage());
    assertEquals(30, slow.newest().orElseThrow().number);
    slow.write(30, PREPARE);
    assertEquals(31, slow.newest().orElseThrow().number);
  }

  @Test
  void aFileThatIsNoRecordIsToldOnceAndTheWatchGoesOn() throws Exception {
    store.watch(told);
    told.expect("absent");
    write(file(1), "{\"epoch\": \"1\",");
    assertEquals(
        "the handover record in "
            + directory.resolve(file(1))
            + " cannot be read (it is no JSON, and has to be an object in JSON with strings)",
        told.next());
    write(file(2), "{\"epoch\": 1}");
    assertEquals(
        "the handover record in "
            + directory.resolve(file(2))
            + " cannot be read (it is an object whose \"epoch\" is no string, and has to be an object"
            + " in JSON with strings)",
        told.next());
    write(file(3), "{\"epoch\": \"1\"}");
    assertEquals(
        "the handover record lacks the key \"phase\", which has to hold the name of a phase (in the"
            + " directory \""
            + directory
            + "\")",
        told.next());
    told.expectNothing();
    write(file(4), Player.encode(PREPARE));
    told.expect("4 PREPARE");
  }

  @Test
  void filesWithOtherNamesAreNobodys() throws Exception {
    for (String name : List.of("1.json", "99999999999999999999.json", file(7) + "~", "notes")) {
      write(name, "no record");
    }
    store.watch(told);
    told.expect("absent");
    get(store.put(0, PREPARE));
    told.expect("1 PREPARE");
  }

  @Test
  void aDirectoryThatGoesIsToldAndWatchedAgainWhenItIsThereAgain() throws Exception {
    Path below = directory.resolve("handover");
    try (RecordStore elsewhere = RecordPlace.directory(below.toString()).open()) {
      elsewhere.watch(told);
      told.expect("there is no directory " + below + " with a handover record");
      Path made = Files.createDirectory(directory.resolve("made"));
      Files.writeString(made.resolve(file(5)), Player.encode(PREPARE));
      Files.move(made, below);
      told.expect("5 PREPARE");
      Files.move(below, directory.resolve("away"));
      told.expect("there is no directory " + below + " with a handover record");
      get(elsewhere.put(0, PREPARE));
      told.expect("1 PREPARE");
      get(elsewhere.put(1, PREPARE));
      told.expect("2 PREPARE");
    }
  }

  @Test
  void aListenerThatThrowsIsToldOfWhatComesNext() throws Exception {
    List<Throwable> uncaught = new CopyOnWriteArrayList<>();
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, problem) -> uncaught.add(problem));
    try {
      store.watch(
          new RecordStore.Listener() {
            @Override
            public void onRead(long version, HandoverRecord handover) {
              told.onRead(version, handover);
              throw new IllegalStateException("a fault");
            }

            @Override
            public void onAbsent() {
              told.onAbsent();
            }

            @Override
            public void onTrouble(String sentence) {
              told.onTrouble(sentence);
            }
          });
      told.expect("absent");
      get(store.put(0, PREPARE));
      told.expect("1 PREPARE");
      get(store.put(1, PREPARE));
      told.expect("2 PREPARE");
      assertEquals(2, uncaught.size(), uncaught::toString);
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
  }

  @Test
  void aStoreThatWasClosedSaysSo() throws Exception {
    store.watch(told);
    told.expect("absent");
    assertThrows(IllegalStateException.class, () -> store.watch(told));
    store.close();
    store.close();
    ExecutionException late =
        assertThrows(ExecutionException.class, () -> get(store.put(0, PREPARE)));
    assertInstanceOf(IOException.class, late.getCause());
    assertThrows(IllegalStateException.class, () -> store.watch(told));
    write(file(1), Player.encode(PREPARE));
    told.expectNothing();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      assertTrue(!thread.getName().startsWith("handover-record"), thread.getName());
    }
  }

  private static long get(CompletableFuture<Long> written) throws Exception {
    return written.get(20, TimeUnit.SECONDS);
  }

  private static String refusal(CompletableFuture<Long> written) {
    ExecutionException refused = assertThrows(ExecutionException.class, () -> get(written));
    return assertInstanceOf(WriteRefusedException.class, refused.getCause()).getMessage();
  }

  private String file(long version) {
    return String.format("%020d.json", version);
  }

  /** As another program would put it there. */
  private void write(String name, String text) throws IOException {
    Path aside = directory.resolve("aside");
    Files.writeString(aside, text);
    Files.move(aside, directory.resolve(name));
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(it -> it.getFileName().toString()).collect(Collectors.toSet());
    }
  }
}
