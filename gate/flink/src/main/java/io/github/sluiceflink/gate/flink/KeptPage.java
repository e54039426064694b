package io.github.sluiceflink.gate.flink;

/**
 * Kept records as they stand in a checkpoint: a {@link PageHead}, and behind it one record after
 * the other. The bytes do not change any more, because Flink has them in its hands, too.
 */
final class KeptPage {

  final byte[] bytes;

  /** Where the first record begins. */
  final int first;

  KeptPage(byte[] bytes, int first) {
    this.bytes = bytes;
    this.first = first;
  }
}
