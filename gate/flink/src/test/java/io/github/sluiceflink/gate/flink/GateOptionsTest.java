package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sluiceflink.gate.Gate;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Rules;
import io.github.sluiceflink.gate.record.RecordPlace;
import java.time.Duration;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

/** What the configuration of a job says of its gates. */
final class GateOptionsTest {

  private static Configuration with(String... keysAndValues) {
    Configuration config = new Configuration();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      config.setString(keysAndValues[i], keysAndValues[i + 1]);
    }
    return config;
  }

  @Test
  void haveDefaultsAndTravelWithTheJob() throws Exception {
    GateOptions options = InstantiationUtil.clone(GateOptions.from(new Configuration()));
    assertFalse(options.enabled());
    assertEquals(GateOptions.Position.BEFORE_SINK, options.position());
    assertEquals(GateOptions.Strategy.WATERMARK, options.strategy());
    assertEquals(64L << 20, options.keptRecordsMaxBytes());
    assertEquals(Duration.ofMinutes(1), options.holdTimeout());
    assertEquals(Rules.DEFAULT, options.rules());
  }

  @Test
  void nameTheJobAndItsRecord() {
    GateOptions options =
        GateOptions.from(
            with(
                "bluegreen.active-deployment-type", "green",
                "bluegreen.handover.epoch", "12",
                "bluegreen.configmap.name", "orders-configmap",
                "bluegreen.configmap.namespace", "shop"));
    assertEquals(Job.of(Color.GREEN, 12), options.job());
    assertEquals(RecordPlace.configMap("shop", "orders-configmap"), options.recordPlace());
  }

  @Test
  void refuseWhatTheyCannotBe() {
    GateOptions none = GateOptions.from(new Configuration());
    assertTrue(
        assertThrows(IllegalArgumentException.class, none::job)
            .getMessage()
            .contains("bluegreen.active-deployment-type"));
    assertTrue(
        assertThrows(IllegalArgumentException.class, none::recordPlace)
            .getMessage()
            .contains("bluegreen.configmap.name"));
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> GateOptions.from(with("bluegreen.gate.hold-timeout", "0 s")))
            .getMessage()
            .contains("bluegreen.gate.hold-timeout"));
  }

  @Test
  void aStreamIsItsOwnGateWhereGatesAreNotEnabled() {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    DataStream<Long> stream = env.fromSequence(1, 2);
    assertSame(stream, Gate.apply(stream));
  }

  @Test
  void aGateByHandThatNobodyNumberedIsRefused() {
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(
            with("bluegreen.gate.injection.enabled", "true"));
    DataStream<Long> gated = Gate.apply(env.fromSequence(1, 2));
    assertEquals("Gate", gated.getTransformation().getName());
    GateOperatorFactory<String> factory =
        new GateOperatorFactory<>(
            GateOptions.from(new Configuration()),
            GatePlace.byHand("orders"),
            StringSerializer.INSTANCE,
            Timestamps.own());
    assertTrue(
        assertThrows(
                IllegalStateException.class,
                () -> factory.getCoordinatorProvider("Gate", new OperatorID()))
            .getMessage()
            .contains("by hand"));
    factory.setPlace(GatePlace.of("submission", 0, 1, "orders"));
    assertTrue(factory.getCoordinatorProvider("Gate", new OperatorID()) != null);
  }
}
