package io.github.sluiceflink.gate.agent;

import io.github.sluiceflink.gate.injection.GateJar;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import org.apache.flink.runtime.blob.BlobKey;
import org.apache.flink.util.AbstractID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hook of {@link BlobKeyAdvice}: the gate's jar has the same name each time that a JobManager
 * starts.
 *
 * <p>Half of a name is what the file holds, the other half is chance. A TaskManager that has
 * outlived its JobManager refuses the same job with other names, for ever. Flink's own jobs seldom
 * meet this: their jar is in the image, and so none travels with them. Here the second half is the
 * first half's begin and a number that counts the names, since the store takes another one if a
 * name is in use.
 */
public final class BlobKeyMade implements BiFunction<Object[], Object, Object> {

  private static final Logger LOG = LoggerFactory.getLogger(BlobKeyMade.class);
  private static final AtomicLong MADE = new AtomicLong();

  /** Type and digest, and the key that Flink has made of them; returns the key to use. */
  @Override
  public Object apply(Object[] asked, Object made) {
    byte[] digest = (byte[]) asked[1];
    if (!GateJar.isOf(digest)) {
      return made;
    }
    byte[] instead =
        ByteBuffer.allocate(AbstractID.SIZE)
            .put(digest, 0, Long.BYTES)
            .putLong(MADE.incrementAndGet())
            .array();
    try {
      Method createKey =
          BlobKey.class.getDeclaredMethod(
              "createKey", asked[0].getClass(), byte[].class, byte[].class);
      createKey.setAccessible(true);
      return createKey.invoke(null, asked[0], digest, instead);
    } catch (ReflectiveOperationException e) {
      // Only a JobManager that is killed and has no high availability will notice.
      LOG.warn(
          "The gate's jar cannot be given the same name in each JobManager. Without high"
              + " availability, a job whose JobManager is killed is refused by the TaskManagers that"
              + " are left; restart these, too.",
          e);
      return made;
    }
  }
}
