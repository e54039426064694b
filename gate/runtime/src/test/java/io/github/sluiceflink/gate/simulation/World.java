package io.github.sluiceflink.gate.simulation;

import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.Coordinator;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Everything: the record, the jobs with their tasks, the operator, and what is under way. */
final class World {

  final Plan plan;
  final Wrong wrong;
  final SplittableRandom random;
  final Store store;
  final Laws laws;
  final Driver driver;
  final List<SimulatedJob> jobs = new ArrayList<>();

  /** JobManagers that were deposed and go on. */
  private final List<Run> deposed = new ArrayList<>();

  final List<Write> network = new ArrayList<>();

  /** What happened, if somebody wants to read it. */
  final List<String> story;

  private final int allWeights;
  private long incarnations;
  private boolean isCalm;

  World(SplittableRandom random, Wrong wrong, List<String> story) {
    this.plan = new Plan(random);
    this.random = random;
    this.wrong = wrong;
    this.story = story;
    Job first = Job.of(Color.BLUE, 0);
    this.store =
        new Store(HandoverRecord.builder().epoch(0).phase(Phase.stable()).active(first).build());
    this.laws = new Laws(this);
    this.driver = new Driver(this);
    SimulatedJob job = new SimulatedJob(first, null, 0, plan, plan.sources);
    job.wasActive = true;
    scale(job);
    jobs.add(job);
    int sum = 0;
    for (int weight : plan.weights) {
      sum += weight;
    }
    allWeights = sum;
  }

  void say(Supplier<String> sentence) {
    if (story != null) {
      story.add(
          sentence
              .get()
              .replace("-9223372036854775808", "-")
              .replace("9223372036854775807", "end")
              .replaceAll(
                  "figures=Figures\\{[^}]*\\}|Optional(Long)?(\\.empty)?|deadline=,|savepoint=,",
                  "")
              .replaceAll("(, )+", ", "));
    }
  }

  boolean isCalm() {
    return isCalm;
  }

  /** The job of this name, if it exists. */
  SimulatedJob find(Job name) {
    for (SimulatedJob job : jobs) {
      if (job.job.equals(name)) {
        return job;
      }
    }
    return null;
  }

  void create(Job name, Snapshot origin, long originAttempt, SimulatedJob like) {
    SimulatedJob job = new SimulatedJob(name, origin, originAttempt, plan, like.sources);
    System.arraycopy(like.parallelism, 0, job.parallelism, 0, job.parallelism.length);
    if (plan.rescales && random.nextBoolean()) {
      rescale(job);
    }
    jobs.add(job);
    say(() -> job + " is created");
  }

  private void scale(SimulatedJob job) {
    for (int gate = 0; gate < plan.gates; gate++) {
      job.parallelism[gate] = 1 + random.nextInt(3);
    }
  }

  void rescale(SimulatedJob job) {
    job.sources = 1 + random.nextInt(3);
    scale(job);
  }

  void delete(SimulatedJob job) {
    say(() -> job + " is deleted");
    laws.deleted(job);
    if (job.run != null) {
      job.run.isDead = true;
    }
    for (Transaction transaction : new ArrayList<>(job.live)) {
      job.abort(transaction);
    }
    jobs.remove(job);
    laws.gone.add(job);
  }

  /** The sinks of a job commit what was prepared in what they restore, and abort the rest. */
  void restoreSinks(SimulatedJob job, Snapshot restored) {
    boolean isForked = restored != null && restored == job.origin;
    if (isForked && wrong == Wrong.SINK_STATE_KEPT) {
      laws.inherited(job, restored);
    }
    if (restored != null && !isForked) {
      for (Transaction transaction : restored.transactions) {
        if (transaction.state == Transaction.State.PENDING) {
          job.commit(transaction);
        }
      }
    }
    for (Transaction transaction : new ArrayList<>(job.live)) {
      job.abort(transaction);
    }
  }

  /** One thing happens, or goes wrong. */
  void step() {
    int drawn = random.nextInt(10_000);
    for (Fault fault : Fault.values()) {
      drawn -= plan.faults[fault.ordinal()];
      if (drawn < 0) {
        happen(fault);
        return;
      }
    }
    int left = random.nextInt(allWeights);
    for (Happening happening : Happening.values()) {
      left -= plan.weights[happening.ordinal()];
      if (left < 0) {
        happen(happening);
        return;
      }
    }
  }

  /** Whether a fault that comes with something else does. */
  boolean goesWrong(Fault fault) {
    return !isCalm && random.nextInt(400) < plan.faults[fault.ordinal()];
  }

  private Run anyRun() {
    int choice = random.nextInt(jobs.size() + deposed.size());
    return choice < jobs.size() ? jobs.get(choice).run : deposed.get(choice - jobs.size());
  }

  private void happen(Happening happening) {
    if (happening == Happening.NETWORK) {
      if (!network.isEmpty()) {
        advance(network.get(random.nextInt(network.size())));
      }
      return;
    }
    if (happening == Happening.DRIVER) {
      driver.act();
      return;
    }
    if (happening == Happening.START) {
      start(jobs.get(random.nextInt(jobs.size())));
      return;
    }
    Run run = anyRun();
    if (run == null) {
      return;
    }
    if (happening == Happening.READ) {
      read(run);
    } else if (happening == Happening.TO_COORDINATOR) {
      run.hearOne();
    } else if (happening == Happening.PUBLISH) {
      run.hear(Coordinator::onPublishDue);
    } else if (run.tasks != null) {
      happen(happening, run);
    }
  }

  private void happen(Happening happening, Run run) {
    Tasks tasks = run.tasks;
    GateTask gate = tasks.gates.get(random.nextInt(tasks.gates.size()));
    Source source = tasks.sources[random.nextInt(tasks.sources.length)];
    switch (happening) {
      case SOURCE:
        if (!source.splits.isEmpty()) {
          source.handle(source.splits.get(random.nextInt(source.splits.size())));
        }
        break;
      case GATE:
        gate.handle(random.nextInt(12));
        gate.finishIfDone();
        break;
      case TO_GATE:
        tell(gate);
        break;
      case REPORT:
        gate.report();
        break;
      case CHECKPOINT:
        tasks.trigger(Snapshot.Kind.CHECKPOINT);
        break;
      case SOURCE_BARRIER:
        if (tasks.awaitsBarrierOf(source)) {
          tasks.sourceBarrier(source);
        }
        break;
      case COMPLETE:
        run.complete();
        break;
      case NOTIFY:
        if (!gate.notices.isEmpty()) {
          long checkpoint = gate.notices.remove();
          if (!goesWrong(Fault.NOTICE_LOST)) {
            gate.notice(checkpoint);
          }
        }
        break;
      default:
        throw new AssertionError(happening);
    }
  }

  private void tell(GateTask gate) {
    if (gate.isFinished) {
      // Nobody listens any more.
      gate.inbox.clear();
    } else if (!gate.inbox.isEmpty()) {
      gate.gate.onTold(gate.inbox.remove());
      gate.finishIfDone();
      laws.told();
    }
  }

  private void start(SimulatedJob job) {
    if (job.isStopped) {
      return;
    }
    if (job.run == null) {
      job.run = new Run(this, job, ++incarnations);
    } else if (job.run.tasks == null) {
      job.run.start();
    }
  }

  private void read(Run run) {
    if (!store.isOut) {
      long version = versionRead();
      run.hear(it -> Coordinator.onRead(it, version, store.at(version)));
    }
  }

  /** The version that somebody reads: the newest, or one of any age. */
  long versionRead() {
    return goesWrong(Fault.STALE_READ)
        ? 1 + random.nextInt((int) store.version())
        : store.version();
  }

  private void advance(Write write) {
    if (!write.hasArrived) {
      if (!write.isAnswered && goesWrong(Fault.ANSWER_LOST)) {
        answer(write, false);
        return;
      }
      arrive(write);
    } else if (!write.isAnswered) {
      answer(write, write.hasSucceeded && !goesWrong(Fault.ANSWER_LOST));
    }
    if (write.hasArrived && (write.isAnswered || write.run == null || write.run.isDead)) {
      network.remove(write);
    }
  }

  private void arrive(Write write) {
    write.hasArrived = true;
    boolean isExpected = write.expected == 0 || write.expected == store.version();
    write.hasSucceeded = isExpected && !store.isOut;
    if (write.hasSucceeded) {
      HandoverRecord before = store.newest();
      store.put(write.record);
      write.version = store.version();
      say(
          () ->
              "version "
                  + store.version()
                  + " by "
                  + (write.run == null ? "operator" : write.run)
                  + ": "
                  + store.newest());
      laws.wrote(write, before, store.newest());
    }
  }

  private void answer(Write write, boolean isKnownToSucceed) {
    write.isAnswered = true;
    if (write.run == null || write.run.isDead) {
      return;
    }
    if (isKnownToSucceed) {
      write.run.hear(it -> Coordinator.onRead(it, write.version, store.at(write.version)));
    } else {
      write.run.hear(Coordinator::onWriteFailed);
    }
  }

  private void happen(Fault fault) {
    Run run = anyRun();
    if (fault == Fault.OUTAGE) {
      store.isOut = !store.isOut;
      say(() -> "the record can be reached: " + !store.isOut);
    } else if (fault == Fault.DRIVER_DIES) {
      driver.die();
    } else if (fault == Fault.ABORT) {
      driver.abort();
    } else if (run != null && !run.isDead) {
      happen(fault, run);
    }
  }

  private void happen(Fault fault, Run run) {
    if (fault == Fault.HOLD_TIMEOUT) {
      run.hear(Coordinator::onHoldTimeout);
    } else if (fault == Fault.CHECKPOINT_FAILS) {
      if (run.tasks != null && run.tasks.current != null) {
        run.tasks.cancel();
      }
    } else if (fault == Fault.TASK_DIES) {
      if (run.tasks != null && !run.isDeposed) {
        say(() -> run + " loses its tasks");
        run.die();
      }
    } else if (fault == Fault.JOB_MANAGER_DIES || fault == Fault.JOB_MANAGER_DEPOSED) {
      boolean goesOn = fault == Fault.JOB_MANAGER_DEPOSED && !run.isDeposed;
      say(() -> run + (goesOn ? " is deposed" : " dies"));
      if (!run.isDeposed) {
        run.home.run = null;
      }
      if (goesOn) {
        run.isDeposed = true;
        deposed.add(run);
      } else {
        run.isDead = true;
        deposed.remove(run);
      }
    }
  }

  /** Nothing goes wrong any more, and everything that is under way arrives. True at the end. */
  boolean comesToRest(int rounds) {
    isCalm = true;
    store.isOut = false;
    deposed.forEach(it -> it.isDead = true);
    deposed.clear();
    say(() -> "from now on nothing goes wrong");
    for (int round = 0; round < rounds; round++) {
      // In turn, and the writes in any order, or the first one's would come first for ever.
      List<SimulatedJob> inTurn = new ArrayList<>(jobs);
      Collections.rotate(inTurn, round);
      for (SimulatedJob job : inTurn) {
        start(job);
        if (job.run != null && !job.run.isDead) {
          sweep(job.run);
        }
      }
      List<Write> underWay = new ArrayList<>(network);
      Collections.shuffle(underWay, new Random(random.nextLong()));
      underWay.forEach(this::advance);
      driver.act();
      if (round > 3 && driver.isDone() && laws.isAtRest()) {
        return true;
      }
    }
    return false;
  }

  private void sweep(Run run) {
    read(run);
    run.hearAll();
    if (run.tasks != null) {
      Tasks tasks = run.tasks;
      tasks.trigger(Snapshot.Kind.CHECKPOINT);
      for (Source source : tasks.sources) {
        if (random.nextBoolean()) {
          source.splits.forEach(source::handle);
        }
        if (tasks.awaitsBarrierOf(source) && random.nextBoolean()) {
          tasks.sourceBarrier(source);
        }
      }
      for (GateTask gate : tasks.gates) {
        for (int times = 0; times < 8; times++) {
          gate.handle(times);
        }
        tell(gate);
        gate.finishIfDone();
        gate.report();
        while (!gate.notices.isEmpty()) {
          gate.notice(gate.notices.remove());
        }
      }
      run.complete();
    }
    if (!run.isDead) {
      run.hearAll();
      run.hear(Coordinator::onPublishDue);
    }
  }
}
