package io.github.sluiceflink.gate.simulation;

import java.util.ArrayList;
import java.util.List;

/** A subtask of the source, with the watermarks of its splits. */
final class Source {

  private final Tasks tasks;
  final int index;
  final List<Integer> splits = new ArrayList<>();

  /** Everything that it will ever send was sent. */
  boolean isEnded;

  private final long[] watermarks;
  private final boolean[] idle;
  private final boolean[] ended;
  private long sentWatermark = Long.MIN_VALUE;
  private boolean sentIdle;

  Source(Tasks tasks, int index) {
    int count = tasks.world.plan.splits.size();
    this.tasks = tasks;
    this.index = index;
    this.watermarks = new long[count];
    this.idle = new boolean[count];
    this.ended = new boolean[count];
    for (int split = 0; split < count; split++) {
      watermarks[split] = Long.MIN_VALUE;
      if (split % tasks.sources.length == index) {
        splits.add(split);
      }
    }
  }

  /** One without a split has come to its end. */
  void begin() {
    if (splits.isEmpty()) {
      end();
    }
  }

  /** Handles the next item of this split. */
  void handle(int split) {
    if (ended[split] || tasks.hasStopped(this)) {
      return;
    }
    World world = tasks.world;
    List<Item> items = world.plan.splits.get(split);
    if (tasks.positions[split] == items.size()) {
      atTheEnd(split);
      return;
    }
    Item item = items.get(tasks.positions[split]++);
    switch (item.kind) {
      case RECORD:
        wake(split);
        tasks.send(index, item);
        break;
      case WATERMARK:
        if (!world.plan.skipsWatermarks || world.random.nextInt(3) > 0) {
          wake(split);
          watermarks[split] = Math.max(watermarks[split], item.time);
          sendWatermark();
        }
        break;
      default:
        idle[split] = true;
        sendWatermark();
        if (allIdle() && !sentIdle) {
          sentIdle = true;
          tasks.send(index, Item.idle());
        }
    }
  }

  private void atTheEnd(int split) {
    if (tasks.world.plan.bounded) {
      ended[split] = true;
      idle[split] = false;
      watermarks[split] = Long.MAX_VALUE;
      if (splits.stream().allMatch(it -> ended[it])) {
        end();
        return;
      }
      wake(split);
      sendWatermark();
    } else if (idle[split] || watermarks[split] < Plan.BEYOND) {
      wake(split);
      watermarks[split] = Plan.BEYOND;
      sendWatermark();
    }
  }

  private void end() {
    if (tasks.awaitsBarrierOf(this)) {
      tasks.sourceBarrier(this);
    }
    isEnded = true;
    tasks.send(index, Item.end());
  }

  private void wake(int split) {
    idle[split] = false;
    sentIdle = false;
  }

  private boolean allIdle() {
    return splits.stream().allMatch(it -> idle[it]);
  }

  private void sendWatermark() {
    if (allIdle()) {
      return;
    }
    long lowest = Long.MAX_VALUE;
    for (int split : splits) {
      if (!idle[split]) {
        lowest = Math.min(lowest, watermarks[split]);
      }
    }
    if (lowest > sentWatermark) {
      sentWatermark = lowest;
      sentIdle = false;
      tasks.send(index, Item.watermark(lowest));
    }
  }
}
