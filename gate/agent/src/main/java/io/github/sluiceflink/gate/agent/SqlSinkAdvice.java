package io.github.sluiceflink.gate.agent;

import java.util.function.BiConsumer;
import net.bytebuddy.asm.Advice;

/**
 * Copied to the end of the SQL planner's {@code CommonExecSink.applySinkProvider}, the one place
 * that knows which operators of a statement belong to its sink: a connector may make any of them.
 */
final class SqlSinkAdvice {

  private SqlSinkAdvice() {}

  @Advice.OnMethodExit
  @SuppressWarnings("unchecked")
  static void exit(@Advice.Argument(0) Object input, @Advice.Return Object sink)
      throws ReflectiveOperationException {
    ((BiConsumer<Object, Object>)
            ClassLoader.getSystemClassLoader()
                .loadClass("io.github.sluiceflink.gate.agent.SqlSinkTranslated")
                .getDeclaredConstructor()
                .newInstance())
        .accept(input, sink);
  }
}
