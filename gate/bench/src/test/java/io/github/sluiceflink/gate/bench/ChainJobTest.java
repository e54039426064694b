package io.github.sluiceflink.gate.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The jobs that are measured run, and their records come through. */
class ChainJobTest {

  @ParameterizedTest
  @EnumSource(Gates.class)
  void theRecordsThatAreLetThroughComeThrough(Gates gates) throws Exception {
    ChainJob job = ChainJob.start(gates, Records.POJO_COPIED);
    job.pass(1000);
    assertEquals(1000, Turnstile.through());
    job.pass(1000);
    assertEquals(2000, Turnstile.through());
    assertTrue(Turnstile.workedNs() > 0, "no time was taken");
    job.close();
  }
}
