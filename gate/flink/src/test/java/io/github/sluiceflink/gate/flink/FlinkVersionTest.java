package io.github.sluiceflink.gate.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.flink.runtime.util.EnvironmentInformation;
import org.junit.jupiter.api.Test;

/** That the tests run with the Flink that the build says. */
final class FlinkVersionTest {

  @Test
  void isTheOneThatIsToBeTested() {
    assertEquals(System.getProperty("expected.flink"), EnvironmentInformation.getVersion());
  }
}
