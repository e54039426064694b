package io.github.sluiceflink.gate.agent;

import java.util.Map;
import java.util.function.BiConsumer;
import net.bytebuddy.asm.Advice;

/**
 * Copied to the end of {@code StreamGraphHasherV2.traverseStreamGraphAndGenerateHashes}, where the
 * ids of operators come from: at submission with Flink 1.20, in the JobMaster with Flink 2.x.
 */
final class HashesGeneratedAdvice {

  private HashesGeneratedAdvice() {}

  @Advice.OnMethodExit
  @SuppressWarnings("unchecked")
  static void exit(@Advice.Argument(0) Object graph, @Advice.Return Map<Integer, byte[]> hashes)
      throws ReflectiveOperationException {
    ((BiConsumer<Object, Map<Integer, byte[]>>)
            ClassLoader.getSystemClassLoader()
                .loadClass("io.github.sluiceflink.gate.agent.HashesGenerated")
                .getDeclaredConstructor()
                .newInstance())
        .accept(graph, hashes);
  }
}
