package io.github.sluiceflink.gate.agent;

import java.util.function.BiFunction;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;

/**
 * Copied to the end of {@code BlobKey.createKey(type, digest)}, where a file that a job takes along
 * gets the name under which TaskManagers ask for it.
 */
final class BlobKeyAdvice {

  private BlobKeyAdvice() {}

  @Advice.OnMethodExit
  @SuppressWarnings("unchecked")
  static void exit(
      @Advice.Argument(0) Object type,
      @Advice.Argument(1) byte[] digest,
      @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object key)
      throws ReflectiveOperationException {
    key =
        ((BiFunction<Object[], Object, Object>)
                ClassLoader.getSystemClassLoader()
                    .loadClass("io.github.sluiceflink.gate.agent.BlobKeyMade")
                    .getDeclaredConstructor()
                    .newInstance())
            .apply(new Object[] {type, digest}, key);
  }
}
