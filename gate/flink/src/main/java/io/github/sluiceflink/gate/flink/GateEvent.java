package io.github.sluiceflink.gate.flink;

import io.github.sluiceflink.gate.handover.Answer;
import io.github.sluiceflink.gate.handover.AtBarrier;
import io.github.sluiceflink.gate.handover.Finished;
import io.github.sluiceflink.gate.handover.Orders;
import io.github.sluiceflink.gate.handover.SubtaskReport;
import org.apache.flink.runtime.operators.coordination.OperatorEvent;

/** What a coordinator and a gate's subtask say to each other. */
abstract class GateEvent implements OperatorEvent {

  private static final long serialVersionUID = 1L;

  private GateEvent() {}

  /**
   * What a coordinator tells. It comes to a subtask in two ways, and so perhaps twice, or after
   * something newer; the number says what is newer.
   */
  static final class Telling extends GateEvent {
    private static final long serialVersionUID = 1L;

    final long number;
    final Orders orders;

    Telling(long number, Orders orders) {
      this.number = number;
      this.orders = orders;
    }

    @Override
    public String toString() {
      return number + ": " + orders;
    }
  }

  /** A subtask answers PREPARE. */
  static final class Answering extends GateEvent {
    private static final long serialVersionUID = 1L;

    final long attempt;
    final Answer answer;

    Answering(long attempt, Answer answer) {
      this.attempt = attempt;
      this.answer = answer;
    }

    @Override
    public String toString() {
      return attempt + ": " + answer;
    }
  }

  /** How a subtask stood at a barrier. */
  static final class Standing extends GateEvent {
    private static final long serialVersionUID = 1L;

    final AtBarrier barrier;

    Standing(AtBarrier barrier) {
      this.barrier = barrier;
    }

    @Override
    public String toString() {
      return barrier.toString();
    }
  }

  /** A subtask reports. */
  static final class Reporting extends GateEvent {
    private static final long serialVersionUID = 1L;

    final long attempt;
    final SubtaskReport report;

    Reporting(long attempt, SubtaskReport report) {
      this.attempt = attempt;
      this.report = report;
    }

    @Override
    public String toString() {
      return attempt + ": " + report;
    }
  }

  /** A subtask has come to the end of its input, and keeps nothing. */
  static final class Finishing extends GateEvent {
    private static final long serialVersionUID = 1L;

    final long attempt;
    final Finished finished;

    Finishing(long attempt, Finished finished) {
      this.attempt = attempt;
      this.finished = finished;
    }

    @Override
    public String toString() {
      return attempt + ": " + finished;
    }
  }
}
