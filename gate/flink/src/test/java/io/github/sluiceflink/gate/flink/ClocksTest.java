package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.Times;
import org.junit.jupiter.api.Test;

/** G36: which timestamps cannot be on the watermark's clock. */
final class ClocksTest {

  private static final long HOUR = 3_600_000;
  private static final long NOW = 1_790_000_000_000L;

  @Test
  void unitsDiffer() {
    assertTrue(Clocks.differ(NOW / 1000, NOW, HOUR), "seconds");
    assertTrue(Clocks.differ(NOW * 1000, NOW, HOUR), "microseconds");
    assertTrue(Clocks.differ(Long.MAX_VALUE - 1, -NOW, HOUR), "too far for a difference");
    assertTrue(Clocks.differ(0, NOW, HOUR));
  }

  @Test
  void lateAndEarlyRecordsAreOnTheClock() {
    assertFalse(Clocks.differ(NOW - 1000 * HOUR, NOW, HOUR));
    assertFalse(Clocks.differ(NOW + HOUR, NOW, HOUR));
    assertTrue(Clocks.differ(NOW + HOUR + 1, NOW, HOUR));
    assertFalse(Clocks.differ(1, 500, HOUR), "small numbers say nothing");
  }

  @Test
  void nothingIsSaidWithoutATimestampOrAWatermark() {
    assertFalse(Clocks.differ(Times.NO_TIMESTAMP, NOW, HOUR));
    assertFalse(Clocks.differ(NOW, Times.NO_WATERMARK, HOUR));
    assertFalse(Clocks.differ(NOW, Times.END_OF_INPUT, HOUR));
  }
}
