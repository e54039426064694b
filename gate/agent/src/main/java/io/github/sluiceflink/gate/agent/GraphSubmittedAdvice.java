package io.github.sluiceflink.gate.agent;

import java.util.function.BiConsumer;
import net.bytebuddy.asm.Advice;

/**
 * Copied to the beginning of {@code StreamExecutionEnvironment.executeAsync(StreamGraph)}, which
 * submits what was generated before: all other ways to execute a program end there, and a program
 * may call it itself, with a graph that it has changed, or that comes from elsewhere.
 */
final class GraphSubmittedAdvice {

  private GraphSubmittedAdvice() {}

  @Advice.OnMethodEnter
  @SuppressWarnings("unchecked")
  static void enter(
      @Advice.Argument(0) Object graph, @Advice.FieldValue("configuration") Object configuration)
      throws ReflectiveOperationException {
    ((BiConsumer<Object, Object>)
            ClassLoader.getSystemClassLoader()
                .loadClass("io.github.sluiceflink.gate.agent.GraphSubmitted")
                .getDeclaredConstructor()
                .newInstance())
        .accept(graph, configuration);
  }
}
