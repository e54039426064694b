package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TimesTest {

  @Test
  void a_lead_that_no_long_holds_is_the_longest() {
    assertEquals(5, Times.lead(45, 40));
    assertEquals(-5, Times.lead(40, 45));
    assertEquals(Long.MAX_VALUE, Times.lead(4_102_444_800_000L, Long.MIN_VALUE + 1));
    assertEquals(Long.MIN_VALUE, Times.lead(-2, Long.MAX_VALUE));
  }

  @Test
  void a_watermark_reaches_the_cut_one_millisecond_before_it() {
    assertFalse(Times.hasReached(98, 100));
    assertTrue(Times.hasReached(99, 100));
    assertTrue(Times.hasReached(100, 100));
    assertTrue(Times.hasReached(Times.END_OF_INPUT, 100));
    assertFalse(Times.hasReached(Times.NO_WATERMARK, 100));
    assertTrue(Times.hasReached(Times.NO_WATERMARK, Long.MIN_VALUE), "below it there is nothing");
  }
}
