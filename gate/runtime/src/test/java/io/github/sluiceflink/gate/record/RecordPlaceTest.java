package io.github.sluiceflink.gate.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.handover.AbortReason;
import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.RecordCodec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

class RecordPlaceTest {

  @Test
  void aPlaceTravelsWithTheJobAndIsNamedInMessages() throws Exception {
    Map<RecordPlace, String> places =
        Map.of(
            RecordPlace.directory("/var/lib/orders"), "the directory \"/var/lib/orders\"",
            RecordPlace.configMap("shop", "orders-configmap"),
                "the ConfigMap \"shop/orders-configmap\"");
    for (Map.Entry<RecordPlace, String> place : places.entrySet()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream output = new ObjectOutputStream(bytes)) {
        output.writeObject(place.getKey());
      }
      try (ObjectInputStream input =
          new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
        Object arrived = input.readObject();
        assertEquals(place.getKey(), arrived);
        assertEquals(place.getValue(), arrived.toString());
      }
    }
    assertEquals(2, places.size());
  }

  @Test
  void theApiServerIsThatOfThePodUnlessSaidOtherwise() {
    Map<String, String> pod =
        Map.of("KUBERNETES_SERVICE_HOST", "10.0.0.1", "KUBERNETES_SERVICE_PORT", "443");
    ClusterAccess inside = ClusterAccess.of(pod, new Properties());
    assertEquals("https://10.0.0.1:443", inside.address().toString());
    assertEquals(
        "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", inside.authority().toString());

    Map<String, String> six =
        Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "6443");
    assertEquals(
        "https://[fd00::1]:6443", ClusterAccess.of(six, new Properties()).address().toString());

    Properties said = new Properties();
    said.setProperty(ClusterAccess.ADDRESS, "https://127.0.0.1:6443");
    said.setProperty(ClusterAccess.SERVICE_ACCOUNT, "/tmp/account");
    ClusterAccess elsewhere = ClusterAccess.of(pod, said);
    assertEquals("https://127.0.0.1:6443", elsewhere.address().toString());
    assertEquals("/tmp/account/ca.crt", elsewhere.authority().toString());

    IllegalStateException nowhere =
        assertThrows(
            IllegalStateException.class, () -> ClusterAccess.of(Map.of(), new Properties()));
    assertTrue(nowhere.getMessage().contains("KUBERNETES_SERVICE_HOST"), nowhere.getMessage());
  }

  @Test
  void aPatchHoldsTheVersionAndTheKeysThatChangeAndNoOther() throws Exception {
    HandoverRecord aborted = Samples.PREPARE.with(Color.BLUE, Samples.ABORT);
    JsonNode abort = json(RecordPatch.of(7, Optional.of(Samples.PREPARE), aborted));
    assertEquals(
        json(
            ("{\"metadata\":{\"resourceVersion\":\"7\"},\"data\":{\"highest\":null,"
                    + "\"phase\":\"ABORT\",\"stage\":\"FAILING\",\"reason\":"
                    + RecordJson.MAPPER.writeValueAsString(reason(aborted))
                    + "}}")
                .getBytes(StandardCharsets.UTF_8)),
        abort);

    HandoverRecord cut = Samples.PREPARE.with(Color.BLUE, Change.cut(46));
    assertEquals(
        json("{\"cut\":\"46\"}".getBytes(StandardCharsets.UTF_8)),
        json(RecordPatch.of(7, Optional.of(Samples.PREPARE), cut)).get("data"));
    assertEquals(Optional.of(AbortReason.noWatermark()), aborted.reason());
  }

  private static String reason(HandoverRecord handover) {
    return RecordCodec.encode(handover).get("reason");
  }

  private static JsonNode json(byte[] bytes) throws Exception {
    return RecordJson.MAPPER.readTree(bytes);
  }
}
