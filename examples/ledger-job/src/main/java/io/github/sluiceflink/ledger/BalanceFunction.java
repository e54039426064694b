package io.github.sluiceflink.ledger;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Keeps the balance of every account and writes one line for every event: {@code
 * split,sequence,account,amount,balance,count,eventTime,label}.
 */
final class BalanceFunction extends KeyedProcessFunction<String, LedgerEvent, String> {
  private static final long serialVersionUID = 1L;

  private final String label;
  private final long failAfter;

  private transient ValueState<Long> balanceState;
  private transient ValueState<Long> countState;

  /**
   * Not in the state on purpose: each attempt of the task fails again, as a broken version does.
   */
  private transient long processed;

  /**
   * @param label stands at the end of every line, to see which version of the job wrote it
   * @param failAfter each attempt of each task fails after this many events; 0: never
   */
  BalanceFunction(String label, long failAfter) {
    this.label = label;
    this.failAfter = failAfter;
  }

  @Override
  public void open(OpenContext context) {
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
