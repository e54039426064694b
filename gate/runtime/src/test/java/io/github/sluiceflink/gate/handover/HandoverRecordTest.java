package io.github.sluiceflink.gate.handover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HandoverRecordTest {

  private static final Job BLUE = Job.of(Color.BLUE, 0);

  private static HandoverRecord in(Phase phase) {
    return HandoverRecord.builder().epoch(1).phase(phase).active(BLUE).build();
  }

  /** H never goes down, W is written once, and a coordinator gives up PREPARE and nothing else. */
  @Test
  void no_change_of_a_coordinator_leaves_the_table() {
    Random random = new Random(20);
    for (int left = 4_000; left > 0; left--) {
      HandoverRecord before = Records.any(random);
      Change change = any(random, before);
      Color color = random.nextBoolean() ? Color.BLUE : Color.GREEN;
      HandoverRecord after = before.with(color, change);
      assertTrue(before.phase().mayBecome(after.phase()), () -> change + " made " + after);
      assertEquals(before.epoch(), after.epoch());
      assertEquals(before.report(color.other()), after.report(color.other()));
    }
  }

  private static Change any(Random random, HandoverRecord before) {
    switch (random.nextInt(4)) {
      case 0:
        return Change.report(Records.report(random));
      case 1:
        return Change.publish(Records.number(random), Records.report(random));
      case 2:
        return Change.cut(
            random.nextBoolean() ? before.phase().highest() + 1 : Records.number(random));
      default:
        return Change.abort(AbortReason.holdTimeout());
    }
  }

  @Test
  void the_cut_is_written_once_and_above_what_was_published() {
    HandoverRecord preparing = in(Phase.prepare(45));
    HandoverRecord agreed = preparing.with(Color.BLUE, Change.cut(46));
    assertEquals(Phase.prepare(45, 46), agreed.phase());
    assertEquals(agreed, agreed.with(Color.BLUE, Change.cut(47)), "a second cut");
    assertEquals(preparing, preparing.with(Color.BLUE, Change.cut(45)), "a cut that is too low");
  }

  @Test
  void what_was_published_never_goes_down() {
    Report report = Records.fullReport();
    HandoverRecord published = in(Phase.standby(45)).with(Color.BLUE, Change.publish(50, report));
    assertEquals(Phase.standby(50), published.phase());
    assertEquals(Optional.of(report), published.blue());
    assertEquals(Phase.standby(50), published.with(Color.BLUE, Change.publish(49, report)).phase());
  }

  @Test
  void after_the_point_of_no_return_nothing_is_given_up() {
    Change abort = Change.abort(AbortReason.holdTimeout());
    HandoverRecord aborted = in(Phase.prepare(45, 46)).with(Color.BLUE, abort);
    assertEquals(Phase.abort(), aborted.phase());
    assertEquals(Optional.of(AbortReason.holdTimeout()), aborted.reason());
    for (Phase late : List.of(Phase.commit(46), Phase.sealed(46), Phase.stable())) {
      assertEquals(in(late), in(late).with(Color.BLUE, abort));
    }
  }

  @Test
  void a_phase_is_followed_by_the_next_or_given_up_before_commit() {
    List<Phase> way =
        List.of(
            Phase.stable(),
            Phase.standby(45),
            Phase.prepare(45),
            Phase.prepare(45, 46),
            Phase.commit(46),
            Phase.sealed(46),
            Phase.stable());
    for (int place = 0; place < way.size() - 1; place++) {
      assertTrue(way.get(place).mayBecome(way.get(place + 1)), "from " + way.get(place));
      assertTrue(way.get(place).mayBecome(way.get(place)), "not at all from " + way.get(place));
      assertEquals(
          place >= 1 && place <= 3, way.get(place).mayBecome(Phase.abort()), "" + way.get(place));
    }
    assertFalse(Phase.prepare(45, 46).mayBecome(Phase.commit(47)), "another cut");
    assertFalse(Phase.commit(46).mayBecome(Phase.sealed(47)), "another cut");
    assertFalse(Phase.standby(45).mayBecome(Phase.prepare(46)), "another H");
    assertFalse(Phase.commit(46).mayBecome(Phase.stable()), "not sealed");
    assertTrue(Phase.abort().mayBecome(Phase.stable()));
  }
}
