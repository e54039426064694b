package io.github.sluiceflink.gate.twojobs;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;

/** Waiting for something that has no event of its own. */
final class Wait {

  private static final Duration LOOK_EVERY = Duration.ofMillis(150);

  private Wait() {}

  static void until(String what, Duration patience, Callable<Boolean> isSo) throws Exception {
    forValue(what, patience, () -> isSo.call() ? Optional.of(true) : Optional.empty());
  }

  static <T> T forValue(String what, Duration patience, Callable<Optional<T>> look)
      throws Exception {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      Optional<T> found = look.call();
      if (found.isPresent()) {
        return found.get();
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("Waited " + patience.toSeconds() + " s in vain for " + what);
      }
      Thread.sleep(LOOK_EVERY.toMillis());
    }
  }
}
