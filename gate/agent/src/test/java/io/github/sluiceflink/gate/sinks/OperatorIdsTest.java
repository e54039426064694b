package io.github.sluiceflink.gate.sinks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.util.StringUtils;
import org.junit.jupiter.api.Test;

class OperatorIdsTest {

  private static final byte[] ORIGINAL =
      StringUtils.hexStringToByte("b71731f1c0df9c3076c4a455334d0ad6");

  @Test
  void an_id_is_the_same_in_every_release_or_savepoints_could_not_be_restored() {
    assertEquals(
        "8213bdd393496b0f2ba321cc61f92712",
        StringUtils.byteToHexString(OperatorIds.derive(ORIGINAL, 7)));
  }

  @Test
  void the_epoch_of_an_id_is_found_again_and_no_other_operator_has_it() {
    Random random = new Random(4);
    Set<String> ids = new HashSet<>();
    for (int operator = 0; operator < 50; operator++) {
      byte[] original = new byte[16];
      random.nextBytes(original);
      for (long epoch : new long[] {1, 2, 99, 1_795_302_678_442L, Long.MAX_VALUE}) {
        byte[] id = OperatorIds.derive(original, epoch);
        ids.add(StringUtils.byteToHexString(id));
        assertEquals(OptionalLong.of(epoch), OperatorIds.epochOf(original, id));
        assertEquals(OptionalLong.empty(), OperatorIds.epochOf(ORIGINAL, id));
      }
    }
    assertEquals(50 * 5, ids.size());
    assertEquals(OptionalLong.of(0), OperatorIds.epochOf(ORIGINAL, ORIGINAL.clone()));
  }

  @Test
  void what_a_graph_carries_is_put_in_the_place_of_what_flink_generated() {
    Configuration configuration = new Configuration();
    byte[] id = OperatorIds.derive(ORIGINAL, 1);
    new OperatorIds(Map.of(4, id, 11, ORIGINAL)).writeTo(configuration);

    Map<Integer, byte[]> hashes = new HashMap<>(Map.of(3, new byte[] {3}, 4, new byte[] {4}));
    OperatorIds.of(configuration).replaceIn(hashes);

    assertArrayEquals(new byte[] {3}, hashes.get(3));
    assertArrayEquals(id, hashes.get(4));
    assertFalse(hashes.containsKey(11), "a node that the graph does not have");
  }
}
