package io.github.sluiceflink.gate.flink;

import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;

/** The version of the form of what a gate has in a checkpoint: its first four bytes. */
final class WrittenVersion {

  private WrittenVersion() {}

  /**
   * Reads the version.
   *
   * @param known the only version that can be read
   * @param what was written, for the user
   * @throws IOException if another version wrote it; one sentence
   */
  static void check(DataInputView source, int known, String what) throws IOException {
    int version = source.readInt();
    if (version != known) {
      throw new IOException(
          what
              + " is written in version "
              + version
              + ", and this agent reads version "
              + known
              + "; take the agent that wrote it, or a newer one");
    }
  }
}
