package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.operators.coordination.CoordinationRequest;
import org.apache.flink.runtime.operators.coordination.CoordinationResponse;
import org.apache.flink.streaming.api.operators.collect.CollectCoordinationResponse;
import org.apache.flink.util.InstantiationUtil;

/**
 * A subtask asks for what is newer than what it was told last. The response comes when there is
 * something, or after a while without.
 *
 * <p>Events alone would not do: Flink holds them back from the moment when the coordinator's part
 * of a checkpoint is taken until the barrier has come to the subtask, which a gate that holds its
 * input back would not let through; and they wait for the end of the record in hand.
 */
final class OrdersRequest implements CoordinationRequest {

  private static final long serialVersionUID = 1L;

  /** The subtask. */
  final int index;

  /** Which execution of the subtask asks. */
  final int execution;

  /** The number of what it was told last. */
  final long after;

  OrdersRequest(int index, int execution, long after) {
    this.index = index;
    this.execution = execution;
    this.after = after;
  }

  /**
   * The response. A class of Flink's own carries it, because TaskManagers read responses without
   * the classes of the job.
   */
  static CoordinationResponse response(Optional<GateEvent.Telling> telling) {
    if (!telling.isPresent()) {
      return new CollectCoordinationResponse("", 0, List.of());
    }
    try {
      DataOutputSerializer bytes = new DataOutputSerializer(512);
      BytePrimitiveArraySerializer.INSTANCE.serialize(
          InstantiationUtil.serializeObject(telling.get()), bytes);
      return new CollectCoordinationResponse("", 0, List.of(bytes.getCopyOfBuffer()));
    } catch (IOException e) {
      throw new IllegalStateException("cannot write " + telling.get(), e);
    }
  }

  /** What the response says; nothing if there is nothing new. */
  static Optional<GateEvent.Telling> telling(CoordinationResponse response, ClassLoader classes)
      throws IOException, ClassNotFoundException {
    if (!(response instanceof CollectCoordinationResponse)) {
      return Optional.empty();
    }
    List<byte[]> results =
        ((CollectCoordinationResponse) response).getResults(BytePrimitiveArraySerializer.INSTANCE);
    return results.isEmpty()
        ? Optional.empty()
        : Optional.of(InstantiationUtil.deserializeObject(results.get(0), classes));
  }
}
