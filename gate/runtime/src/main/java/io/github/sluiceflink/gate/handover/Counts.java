package io.github.sluiceflink.gate.handover;

import java.util.OptionalLong;

/** Numbers from 0 on: they never wrap, and none is less than any. */
final class Counts {

  private Counts() {}

  static long next(long count) {
    return plus(count, 1);
  }

  static long plus(long one, long other) {
    return one > Long.MAX_VALUE - other ? Long.MAX_VALUE : one + other;
  }

  static OptionalLong max(OptionalLong one, OptionalLong other) {
    return isLess(one, other) ? other : one;
  }

  static boolean isLess(OptionalLong one, OptionalLong other) {
    if (one.isPresent() && other.isPresent()) {
      return one.getAsLong() < other.getAsLong();
    }
    return other.isPresent();
  }
}
