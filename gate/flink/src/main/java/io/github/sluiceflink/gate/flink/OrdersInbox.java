package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.jobgraph.tasks.TaskOperatorEventGateway;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.util.SerializedValue;

/**
 * Where a subtask gets what it is told: by events, and by asking while something is awaited. Each
 * thing told is taken once, and nothing that is older than what was taken before. In the task's
 * thread.
 */
final class OrdersInbox {

  private final OperatorID operator;
  private final int index;
  private final int execution;
  private final TaskOperatorEventGateway gateway;
  private final MailboxExecutor mailbox;
  private final ClassLoader classes;
  private final Consumer<GateEvent.Telling> taken;
  private final BooleanSupplier awaits;
  private long last = -1;
  private boolean asked;

  OrdersInbox(
      OperatorID operator,
      int index,
      int execution,
      TaskOperatorEventGateway gateway,
      MailboxExecutor mailbox,
      ClassLoader classes,
      Consumer<GateEvent.Telling> taken,
      BooleanSupplier awaits) {
    this.operator = operator;
    this.index = index;
    this.execution = execution;
    this.gateway = gateway;
    this.mailbox = mailbox;
    this.classes = classes;
    this.taken = taken;
    this.awaits = awaits;
  }

  /** An event came. */
  void onEvent(GateEvent.Telling telling) {
    take(telling);
    if (awaits.getAsBoolean()) {
      ask();
    }
  }

  /** Asks for what is newer, unless it has asked already. */
  void ask() {
    if (asked) {
      return;
    }
    SerializedValue<CoordinationRequest> request;
    try {
      request = new SerializedValue<>(new OrdersRequest(index, execution, last));
    } catch (IOException e) {
      throw new IllegalStateException("a request cannot be written", e);
    }
    asked = true;
    gateway
        .sendRequestToCoordinator(operator, request)
        .whenComplete(
            (response, failure) -> {
              try {
                mailbox.execute(() -> onResponse(response, failure), "the gate's orders");
              } catch (RejectedExecutionException e) {
                // The task has ended.
              }
            });
  }

  private void onResponse(CoordinationResponse response, Throwable failure)
      throws IOException, ClassNotFoundException {
    asked = false;
    if (failure != null || response == null) {
      // The JobManager is away, or does not know the task yet: asked again at the next interval.
      return;
    }
    Optional<GateEvent.Telling> telling = OrdersRequest.telling(response, classes);
    telling.ifPresent(this::take);
    if (awaits.getAsBoolean()) {
      ask();
    }
  }

  private void take(GateEvent.Telling telling) {
    if (telling.number > last) {
      last = telling.number;
      taken.accept(telling);
    }
  }
}
