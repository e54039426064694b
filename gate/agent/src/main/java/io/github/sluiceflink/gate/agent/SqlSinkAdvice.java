package io.github.sluiceflink.gate.agent;

import java.util.function.Consumer;
import net.bytebuddy.asm.Advice;

/**
 * Copied to the end of the SQL planner's {@code CommonExecSink.applySinkProvider}, the one place
 * that knows which operators of a statement belong to its sink, whether the query updates what it
 * has written, and which column holds the event time.
 */
final class SqlSinkAdvice {

  private SqlSinkAdvice() {}

  @Advice.OnMethodExit
  @SuppressWarnings("unchecked")
  static void exit(
      @Advice.Argument(0) Object input,
      @Advice.Argument(3) int rowtime,
      @Advice.FieldValue("inputChangelogMode") Object changes,
      @Advice.Return Object sink)
      throws ReflectiveOperationException {
    ((Consumer<Object[]>)
            ClassLoader.getSystemClassLoader()
                .loadClass("io.github.sluiceflink.gate.agent.SqlSinkTranslated")
                .getDeclaredConstructor()
                .newInstance())
        .accept(new Object[] {input, sink, changes, rowtime});
  }
}
