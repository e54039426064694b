package io.github.sluiceflink.ledger;

import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * Writes one line for every account and second of event time that has events: {@code
 * account,windowStart,count,label}.
 */
final class CountPerSecond extends ProcessWindowFunction<LedgerEvent, String, String, TimeWindow> {
  private static final long serialVersionUID = 1L;

  private final String label;

  CountPerSecond(String label) {
    this.label = label;
  }

  @Override
  public void process(
      String account, Context context, Iterable<LedgerEvent> events, Collector<String> out) {
    long count = 0;
    for (LedgerEvent ignored : events) {
      count++;
    }
    out.collect(account + "," + context.window().getStart() + "," + count + "," + label);
  }
}
