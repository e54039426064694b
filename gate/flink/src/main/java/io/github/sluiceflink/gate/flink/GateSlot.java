package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Subtask;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator.SubtaskGateway;

/** One gate, as the gates of its job know it together. In their thread. */
final class GateSlot {

  /** The coordinator that speaks for the gate now. */
  final GateCoordinator coordinator;

  final int gate;
  final int parallelism;
  final Map<Integer, Connection> connections = new HashMap<>();
  final Map<Integer, Waiting> waiting = new HashMap<>();
  FinishedMarks finished;

  GateSlot(GateCoordinator coordinator, FinishedMarks finished) {
    this.coordinator = coordinator;
    this.gate = coordinator.place().gate();
    this.parallelism = coordinator.parallelism();
    this.finished = finished;
  }

  /** How the present execution of a subtask is told. */
  static final class Connection {
    final int execution;
    final SubtaskGateway gateway;

    Connection(int execution, SubtaskGateway gateway) {
      this.execution = execution;
      this.gateway = gateway;
    }
  }

  /** A subtask's request that is not responded to yet. */
  static final class Waiting {
    final OrdersRequest request;
    final CompletableFuture<CoordinationResponse> response;

    Waiting(OrdersRequest request, CompletableFuture<CoordinationResponse> response) {
      this.request = request;
      this.response = response;
    }
  }

  Subtask subtask(int index) {
    return Subtask.of(gate, index);
  }

  /** All its subtasks, those that have finished with what they had emitted. */
  void forEachSubtask(BiConsumer<Subtask, Optional<Finished>> consumer) {
    for (int index = 0; index < parallelism; index++) {
      consumer.accept(subtask(index), finished.of(index));
    }
  }

  /** Sends to one subtask, if it is there. */
  void send(int index, GateEvent.Telling telling) {
    Connection connection = connections.get(index);
    if (connection != null) {
      connection.gateway.sendEvent(telling);
    }
    Waiting asked = waiting.get(index);
    if (asked != null && asked.request.after < telling.number) {
      waiting.remove(index);
      asked.response.complete(OrdersRequest.response(Optional.of(telling)));
    }
  }

  void sendAll(GateEvent.Telling telling) {
    for (int index = 0; index < parallelism; index++) {
      send(index, telling);
    }
  }

  /** A subtask asks; what it asked before is not awaited any more. */
  void await(OrdersRequest request, CompletableFuture<CoordinationResponse> response) {
    Waiting before = waiting.put(request.index, new Waiting(request, response));
    if (before != null) {
      before.response.complete(OrdersRequest.response(Optional.empty()));
    }
  }

  /** The time to wait is over. */
  void giveUp(OrdersRequest request) {
    Waiting asked = waiting.get(request.index);
    if (asked != null && asked.request == request) {
      waiting.remove(request.index);
      asked.response.complete(OrdersRequest.response(Optional.empty()));
    }
  }

  /** A subtask is gone, if this was its execution. */
  void disconnect(int index, int execution) {
    Connection connection = connections.get(index);
    if (connection != null && connection.execution <= execution) {
      connections.remove(index);
    }
    Waiting asked = waiting.get(index);
    if (asked != null && asked.request.execution <= execution) {
      giveUp(asked.request);
    }
  }

  /** All its subtasks are gone. */
  void disconnectAll() {
    connections.clear();
    Map<Integer, Waiting> asked = new HashMap<>(waiting);
    asked.values().forEach(it -> giveUp(it.request));
  }
}
