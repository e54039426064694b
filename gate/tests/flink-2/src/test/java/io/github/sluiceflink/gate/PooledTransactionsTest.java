package io.github.sluiceflink.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.junit.jupiter.api.Test;

class PooledTransactionsTest {

  @Test
  void a_running_job_with_the_users_name_does_not_take_the_forks_transactions_for_its_own()
      throws Exception {
    KafkaSink<String> sink =
        NamesOutsideTest.builder(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING)
            .build();
    assertEquals(
        List.of("sink-epoch-4-orders"),
        NamesOutsideTest.prefixes(NamesOutsideTest.graph(new Configuration(), sink, 4)));
  }
}
