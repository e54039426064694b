package io.github.sluiceflink.gate.flink;

import org.apache.flink.util.FlinkException;

/** Why a gated job cannot go on; the message is one sentence for the user. */
final class GateException extends FlinkException {

  private static final long serialVersionUID = 1L;

  GateException(String sentence) {
    super(sentence);
  }
}
