package io.github.sluiceflink.gate.twojobs;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What goes wrong in a handover, and where.
 *
 * @param <P> the points at which something can go wrong
 * @param <H> the handover to which it happens
 */
final class Faults<P extends Enum<P>, H> {

  /** Something that goes wrong. */
  interface Fault<H> {
    void happen(H handover) throws Exception;
  }

  private final Map<P, List<Fault<H>>> faults;
  private final Scene scene;

  Faults(Class<P> points, Scene scene) {
    faults = new EnumMap<>(points);
    this.scene = scene;
  }

  void add(P point, Fault<H> fault) {
    faults.computeIfAbsent(point, it -> new ArrayList<>()).add(fault);
  }

  boolean any(P point) {
    return faults.containsKey(point);
  }

  /** Lets happen what goes wrong there. */
  void reach(P point, H handover) throws Exception {
    for (Fault<H> fault : faults.getOrDefault(point, List.of())) {
      scene.say("at " + point + " something goes wrong");
      fault.happen(handover);
    }
  }
}
