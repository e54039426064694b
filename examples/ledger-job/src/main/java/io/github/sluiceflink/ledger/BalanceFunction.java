package io.github.sluiceflink.ledger;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Keeps the balance of every account and writes one line for every event: {@code
 * split,sequence,account,amount,balance,count,eventTime,label}.
 *
 * <p>In which order events of different files come is not determined, and so neither is the balance
 * after one of them, unless the account is booked on in the order of event time: then the job is
 * deterministic, which is what a handover at a cut in event time asks for.
 */
final class BalanceFunction extends KeyedProcessFunction<String, LedgerEvent, String> {
  private static final long serialVersionUID = 1L;

  private static final Comparator<LedgerEvent> OF_ONE_TIME =
      Comparator.<LedgerEvent>comparingInt(event -> event.split)
          .thenComparingLong(event -> event.sequence);

  private final String label;
  private final boolean inEventTimeOrder;
  private final long failAfter;

  /** By event time: what the watermark has not reached. */
  private transient MapState<Long, List<LedgerEvent>> waitingState;

  private transient ValueState<Long> balanceState;
  private transient ValueState<Long> countState;

  /**
   * Not in the state on purpose: each attempt of the task fails again, as a broken version does.
   */
  private transient long processed;

  /**
   * @param label stands at the end of every line, to see which version of the job wrote it
   * @param inEventTimeOrder an event waits until the watermark has reached it
   * @param failAfter each attempt of each task fails after this many events; 0: never
   */
  BalanceFunction(String label, boolean inEventTimeOrder, long failAfter) {
    this.label = label;
    this.inEventTimeOrder = inEventTimeOrder;
    this.failAfter = failAfter;
  }

  @Override
  public void open(OpenContext context) {
    waitingState =
        getRuntimeContext()
            .getMapState(
                new MapStateDescriptor<>(
                    "waiting", Types.LONG, Types.LIST(TypeInformation.of(LedgerEvent.class))));
    balanceState = getRuntimeContext().getState(new ValueStateDescriptor<>("balance", Long.class));
    countState = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Long.class));
  }

  @Override
  public void processElement(LedgerEvent event, Context context, Collector<String> out)
      throws Exception {
    processed++;
    if (failAfter > 0 && processed > failAfter) {
      throw new IllegalStateException(
          "This version fails after " + failAfter + " events, as --fail-after asks.");
    }
    boolean waits = inEventTimeOrder && event.eventTime > context.timerService().currentWatermark();
    if (!waits) {
      book(event, out);
      return;
    }
    List<LedgerEvent> waiting = waitingState.get(event.eventTime);
    if (waiting == null) {
      waiting = new ArrayList<>();
      context.timerService().registerEventTimeTimer(event.eventTime);
    }
    waiting.add(event);
    waitingState.put(event.eventTime, waiting);
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<String> out) throws Exception {
    List<LedgerEvent> waiting = waitingState.get(time);
    if (waiting == null) {
      return;
    }
    waitingState.remove(time);
    waiting.sort(OF_ONE_TIME);
    for (LedgerEvent event : waiting) {
      book(event, out);
    }
  }

  private void book(LedgerEvent event, Collector<String> out) throws Exception {
    long balance = orZero(balanceState.value()) + event.amount;
    long count = orZero(countState.value()) + 1;
    balanceState.update(balance);
    countState.update(count);
    out.collect(
        event.split
            + ","
            + event.sequence
            + ","
            + event.account
            + ","
            + event.amount
            + ","
            + balance
            + ","
            + count
            + ","
            + event.eventTime
            + ","
            + label);
  }

  private static long orZero(Long value) {
    return value == null ? 0 : value;
  }
}
