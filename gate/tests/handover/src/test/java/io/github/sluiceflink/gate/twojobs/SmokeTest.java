package io.github.sluiceflink.gate.twojobs;

import java.nio.file.*;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class SmokeTest {
  @Test
  void alone() throws Exception {
    Path dir = Files.createDirectories(Path.of(System.getProperty("gate.runs"), "smoke-" + System.currentTimeMillis()));
    Input input = Input.of(dir);
    long records;
    long t0 = System.currentTimeMillis();
    try (Deployment blue = new Deployment("BLUE", "blue", dir, input)) {
      blue.start().awaitRunning();
      System.out.println("running after " + (System.currentTimeMillis() - t0));
      blue.awaitCheckpoints(2);
      blue.killTaskManager();
      Thread.sleep(1000);
      blue.awaitRunning();
      System.out.println("running again after " + (System.currentTimeMillis() - t0));
      blue.awaitCheckpoints(2);
      System.out.println("killing JM " + (System.currentTimeMillis() - t0));
      blue.killJobManager();
      blue.awaitRunning();
      System.out.println("running again after " + (System.currentTimeMillis() - t0));
      blue.awaitCheckpoints(2);
      records = input.endSoon();
      blue.awaitState("FINISHED");
      System.out.println("finished after " + (System.currentTimeMillis() - t0));
    }
    Ledger ledger = new Ledger(dir.resolve("output"), input, records, "BLUE", OptionalLong.empty());
    System.out.println(ledger);
    ledger.check();
  }
}
