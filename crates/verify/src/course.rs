//! What can happen next, and what it leads to.

use sluice_core::handover::{
    CheckpointId, Coordinator, CoordinatorMessage, Epoch, EventTime, GateAction, GateMessage, GateState,
    GatesReport, HandoverRecord, Incarnation, Orders, Passed, Phase, SubtaskReport, Told, Version, Watermark,
};
use stateright::{Model, Property};

use crate::laws;
use crate::mutant::Mutant;
use crate::world::{Bounds, Checkpoint, INCOMING, Input, JobWorld, OUTGOING, SubtaskWorld, World, subtask};

/// No job needs more checkpoints.
const LAST_CHECKPOINT: CheckpointId = CheckpointId(6);

/// Something that happens. A job is named by its place, a subtask by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A subtask handles the next of its input.
    Handle(usize, usize),
    /// What a subtask was told arrives.
    Hear(usize, usize),
    /// A subtask's report arrives, and it is time to publish.
    Publish(usize, usize),
    /// A write arrives at the store.
    Write(usize, usize),
    /// A checkpoint completes.
    Checkpoint(usize),
    /// The output of the last checkpoint is committed.
    Commit(usize),
    /// Records were kept for too long.
    HoldTimeout,
    /// All tasks of the job die and are restored.
    TasksDie(usize),
    /// So does its JobManager. The new one reads the newest record first, or the oldest.
    JobManagerDies(usize, bool),
    /// The operator writes a phase.
    Operator(Step),
}

/// What the operator writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// PREPARE.
    Prepare,
    /// COMMIT.
    Commit,
    /// ABORT.
    Abort,
    /// SEALED: the outgoing job is stopped with a savepoint, and goes.
    Seal,
    /// STABLE, with the incoming job as the active one.
    Finish,
}

impl Model for Bounds {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        vec![self.begin()]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        // What follows a broken law says nothing.
        if world.broken.is_some() {
            return;
        }
        for (place, job) in world.jobs.iter().enumerate().filter(|(_, job)| job.exists) {
            for (index, subtask) in job.subtasks.iter().enumerate() {
                // An incoming job that was given up stays closed, and what it reads changes nothing.
                let is_over = place == INCOMING && world.record.phase == Phase::Abort;
                if subtask.position < self.inputs[index].len() && !is_over {
                    events.push(Event::Handle(place, index));
                }
                if subtask.inbox.is_some() {
                    events.push(Event::Hear(place, index));
                }
                events.push(Event::Publish(place, index));
            }
            events.push(Event::Checkpoint(place));
            if job.pending != 0 {
                events.push(Event::Commit(place));
            }
            if world.crashes > 0 {
                events.push(Event::TasksDie(place));
                events.push(Event::JobManagerDies(place, false));
                events.push(Event::JobManagerDies(place, true));
            }
        }
        for (place, job) in world.jobs.iter().enumerate() {
            for write in 0..job.writes.len() {
                events.push(Event::Write(place, write));
            }
        }
        if self.hold_timeout {
            events.push(Event::HoldTimeout);
        }
        for step in [Step::Prepare, Step::Commit, Step::Abort, Step::Seal, Step::Finish] {
            events.push(Event::Operator(step));
        }
    }

    fn next_state(&self, world: &World, event: Event) -> Option<World> {
        let mut next = world.clone();
        let has_happened = match event {
            Event::Handle(place, index) => self.handle(&mut next, place, index),
            Event::Hear(place, index) => self.hear(&mut next, place, index),
            Event::Publish(place, index) => self.publish(&mut next, place, index),
            Event::Write(place, index) => self.write(&mut next, place, index),
            Event::Checkpoint(place) => self.checkpoint(&mut next, place),
            Event::Commit(place) => {
                let job = &mut next.jobs[place];
                job.visible |= job.pending;
                job.pending = 0;
                true
            }
            Event::HoldTimeout => {
                self.coordinate(&mut next.jobs[OUTGOING], CoordinatorMessage::HoldTimeout);
                next.jobs[OUTGOING] != world.jobs[OUTGOING]
            }
            Event::TasksDie(place) => self.die(&mut next, place, None),
            Event::JobManagerDies(place, old) => self.die(&mut next, place, Some(old)),
            Event::Operator(step) => self.operate(&mut next, step),
        };
        if !has_happened {
            return None;
        }
        self.settle(&mut next);
        next.canonicalise();
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        laws::properties()
    }
}

impl Bounds {
    fn handle(&self, world: &mut World, place: usize, index: usize) -> bool {
        let record = world.record.clone();
        let job = &mut world.jobs[place];
        let subtask = &mut job.subtasks[index];
        let event = self.inputs[index][subtask.position];
        let number = self.number(index, subtask.position);
        subtask.position += 1;
        let message = match event {
            Input::Record(timestamp) | Input::Late(timestamp) => GateMessage::Record {
                record: number,
                timestamp: EventTime::of(timestamp),
            },
            Input::Watermark(watermark) => GateMessage::Watermark {
                watermark: Watermark(watermark),
            },
        };
        let actions = subtask.gate.on(message);
        let broken = self.act(job, place, index, actions, &record);
        world.broken = world.broken.or(broken);
        true
    }

    fn hear(&self, world: &mut World, place: usize, index: usize) -> bool {
        let record = world.record.clone();
        let job = &mut world.jobs[place];
        let Some(orders) = job.subtasks[index].inbox.take() else {
            return false;
        };
        let actions = job.subtasks[index].gate.on(GateMessage::Told { orders });
        let broken = self.act(job, place, index, actions, &record);
        world.broken = world.broken.or(broken);
        true
    }

    /// Puts what a gate does on its way; the law that it breaks, if it does.
    fn act(
        &self,
        job: &mut JobWorld,
        place: usize,
        index: usize,
        actions: Vec<GateAction<u8>>,
        record: &HandoverRecord,
    ) -> Option<&'static str> {
        let mut broken = None;
        for action in actions {
            match action {
                GateAction::Emit { record: number } => {
                    if job.emitted() & (1 << number) != 0 {
                        broken = Some("I1: a job emits a record twice");
                    }
                    job.open |= 1 << number;
                }
                GateAction::Drop { record: number } => {
                    let timestamp = self.record(number).map_or(i64::MIN, |(timestamp, _)| timestamp);
                    broken = broken.or(laws::dropped(record, place, timestamp));
                }
                GateAction::Answer {
                    epoch,
                    attempt,
                    highest,
                    watermark,
                } => job.answers.push(CoordinatorMessage::Answered {
                    subtask: subtask(index),
                    epoch,
                    attempt,
                    highest,
                    watermark,
                }),
                GateAction::AtBarrier { .. } => {}
            }
        }
        broken
    }

    fn coordinate(&self, job: &mut JobWorld, message: CoordinatorMessage) {
        let (coordinator, actions) = job.coordinator.clone().on(message);
        job.coordinator = coordinator;
        job.carry_out(actions, self.mutant);
    }

    /// What takes no time here, as nothing else depends on when it happens: both coordinators read the newest record (their
    /// gates learn of it late, one by one), answers arrive, and the incoming job's writes, which only report, land.
    fn settle(&self, world: &mut World) {
        loop {
            let mut is_settled = true;
            for place in [OUTGOING, INCOMING] {
                if !world.jobs[place].exists {
                    continue;
                }
                for answer in std::mem::take(&mut world.jobs[place].answers) {
                    self.coordinate(&mut world.jobs[place], answer);
                }
                let (version, record) = (world.version, world.record.clone());
                is_settled &= !self.read(world, place, version, record);
                if place == INCOMING {
                    while !world.jobs[place].writes.is_empty() {
                        is_settled &= !self.write(world, place, 0);
                    }
                }
            }
            if is_settled {
                return;
            }
        }
    }

    /// A coordinator never uses the other job's report; it is left out, so that fewer states differ.
    fn read(&self, world: &mut World, place: usize, version: Version, mut record: HandoverRecord) -> bool {
        let job = &mut world.jobs[place];
        if job
            .coordinator
            .seen
            .as_ref()
            .is_some_and(|it| it.version >= version)
        {
            return false;
        }
        if place == OUTGOING {
            record.green = None;
        } else {
            record.blue = None;
        }
        let record = Box::new(record);
        self.coordinate(job, CoordinatorMessage::Read { version, record });
        true
    }

    /// A report that would lead to no write the protocol waits for is left out.
    fn publish(&self, world: &mut World, place: usize, index: usize) -> bool {
        let job = &mut world.jobs[place];
        let Some(attempt) = job.coordinator.attempt() else {
            return false;
        };
        let Some(seen) = &job.coordinator.seen else {
            return false;
        };
        if job.coordinator.writing.is_some() {
            return false;
        }
        let written = seen.record.report(job.coordinator.job.color);
        let settles = |id: CheckpointId| id > CheckpointId(1);
        let has_settled = place == OUTGOING
            && index == 0
            && job.coordinator.completed.is_some_and(settles)
            && !written.and_then(|it| it.completed).is_some_and(settles);
        let has_passed = index == 0 && job.coordinator.passed != written.and_then(|it| it.passed);
        let gate = &job.subtasks[index].gate;
        let highest = gate.state.emitted;
        let rises = match seen.record.phase {
            Phase::Standby { highest: published } => {
                place == OUTGOING
                    && gate.orders.is_some_and(|it| it.attempt == attempt)
                    && highest > published
            }
            _ => false,
        };
        if !has_settled && !has_passed && !rises {
            return false;
        }
        if rises {
            let report = SubtaskReport {
                highest,
                ..SubtaskReport::default()
            };
            let subtask = subtask(index);
            self.coordinate(
                job,
                CoordinatorMessage::Reported {
                    subtask,
                    attempt,
                    report,
                },
            );
        }
        self.coordinate(job, CoordinatorMessage::PublishDue);
        true
    }

    fn write(&self, world: &mut World, place: usize, index: usize) -> bool {
        let (expected, change) = world.jobs[place].writes.remove(index);
        if expected == world.version {
            let color = world.jobs[place].coordinator.job.color;
            let next = match (self.mutant, &change) {
                // A cut that the record would not take must stand in it, or the mutant shows nothing.
                (
                    Some(Mutant::CutAtHighest | Mutant::CutFromAnswersOnly),
                    sluice_core::handover::Change::Cut { cut },
                ) => HandoverRecord {
                    phase: Phase::Prepare {
                        highest: world.record.phase.highest(),
                        cut: Some(*cut),
                    },
                    ..world.record.clone()
                },
                _ => world.record.with(color, &change),
            };
            world.store(next, self);
        }
        true
    }

    fn checkpoint(&self, world: &mut World, place: usize) -> bool {
        let cut = world.record.phase.cut();
        let job = &mut world.jobs[place];
        let everyone_is_told = job.subtasks.iter().all(|it| it.gate.orders.is_some());
        let has_passed = |it: &SubtaskWorld| {
            let state = &it.gate.state;
            cut.is_some_and(|cut| {
                let keeps = state.kept.iter().any(|it| cut.is_above(it.timestamp));
                state.watermark.has_reached(cut) && !keeps
            })
        };
        let may_pass = job.coordinator.passed.is_none()
            && everyone_is_told
            && (job.subtasks.iter().all(has_passed)
                || (self.mutant.is_some() && job.subtasks.iter().any(has_passed)));
        if job.pending != 0 || !everyone_is_told {
            return false;
        }
        if !may_pass {
            if job.checkpoints == 0 {
                return false;
            }
            job.checkpoints -= 1;
        }
        let id = job.checkpoint.id.max(CheckpointId(1)).next();
        // Only what is done wrong makes a job go on completing checkpoints that prove nothing.
        if id > LAST_CHECKPOINT {
            return false;
        }
        let mut barriers = Vec::new();
        for subtask in &mut job.subtasks {
            for action in subtask.gate.on(GateMessage::Barrier { checkpoint: id }) {
                if let GateAction::AtBarrier { barrier } = action {
                    barriers.push(barrier);
                }
            }
        }
        let silent: Vec<bool> = job.subtasks.iter().map(|it| it.position == 0).collect();
        if let Some(mutant) = self.mutant {
            mutant.barriers(cut, &mut barriers, &silent);
        }
        if self.mutant != Some(Mutant::DrainedWithoutCheckpoint) || !may_pass {
            let keeps = self.mutant != Some(Mutant::KeptIsNotCheckpointed);
            let state = |it: &SubtaskWorld| {
                let mut state = it.gate.state.clone();
                if !keeps {
                    state.kept.clear();
                }
                (state, it.position)
            };
            job.checkpoint = Checkpoint {
                id,
                subtasks: job.subtasks.iter().map(state).collect(),
            };
            job.pending = std::mem::take(&mut job.open);
            if !self.commit_lag {
                job.visible |= std::mem::take(&mut job.pending);
            }
        }
        for (index, barrier) in barriers.into_iter().enumerate() {
            let subtask = subtask(index);
            self.coordinate(job, CoordinatorMessage::AtBarrier { subtask, barrier });
        }
        self.coordinate(job, CoordinatorMessage::Completed { checkpoint: id });
        true
    }

    /// If a JobManager is named, the tasks do not die alone; it says whether the new one reads an old record first.
    fn die(&self, world: &mut World, place: usize, job_manager: Option<bool>) -> bool {
        world.crashes -= 1;
        let stale = world.old.clone().filter(|_| job_manager == Some(true));
        if job_manager == Some(true) && stale.is_none() {
            return false;
        }
        let job = &mut world.jobs[place];
        let incarnation = job_manager.map(|_| Incarnation(job.coordinator.incarnation.0 + 1));
        job.start(job.checkpoint.id, incarnation);
        if let Some((version, record)) = stale {
            if self.mutant == Some(Mutant::TellsWithoutAttempt) {
                for subtask in &mut job.subtasks {
                    subtask.gate.orders = Some(Orders {
                        epoch: record.epoch,
                        attempt: record.attempt(job.coordinator.job.color),
                        told: record.told(job.coordinator.job),
                    });
                }
            }
            self.read(world, place, version, record);
        }
        let job = &mut world.jobs[place];
        if self.mutant == Some(Mutant::RestartStartsOpen) {
            for subtask in &mut job.subtasks {
                let told = Told::Outgoing(Phase::Stable);
                subtask.gate.orders = Some(Orders {
                    epoch: Epoch(0),
                    attempt: sluice_core::handover::Attempt(0),
                    told,
                });
            }
        }
        true
    }

    fn operate(&self, world: &mut World, step: Step) -> bool {
        let record = &world.record;
        let passed = |place: usize| {
            let report = record.report(world.jobs[place].coordinator.job.color);
            report
                .and_then(|it| it.passed)
                .is_some_and(|it: Passed| it.epoch == record.epoch)
        };
        let mut next = record.clone();
        match (step, record.phase) {
            (Step::Prepare, Phase::Standby { highest }) => {
                let settled = record
                    .fork
                    .zip(record.blue.as_ref())
                    .is_some_and(|(fork, report)| fork.is_settled(report));
                let settled = settled || self.mutant == Some(Mutant::PrepareWithoutSettledFork);
                if record.green.is_none() || !settled {
                    return false;
                }
                next.phase = Phase::Prepare { highest, cut: None };
            }
            (Step::Commit, Phase::Prepare { cut: Some(cut), .. }) => next.phase = Phase::Commit { cut },
            (Step::Commit, Phase::Abort) if self.mutant == Some(Mutant::CommitWithoutVersion) => {
                let Some(cut) = world.cut_seen else { return false };
                next.phase = Phase::Commit {
                    cut: sluice_core::handover::Cut(cut),
                };
            }
            (Step::Abort, Phase::Standby { .. } | Phase::Prepare { .. }) => next.phase = Phase::Abort,
            (Step::Abort, Phase::Commit { .. }) if self.mutant == Some(Mutant::AbortAfterCommit) => {
                next.phase = Phase::Abort;
            }
            (Step::Seal, Phase::Commit { cut }) if passed(OUTGOING) => {
                next.phase = Phase::Sealed { cut };
                let outgoing = &mut world.jobs[OUTGOING];
                if self.mutant == Some(Mutant::DeletedBeforeCommit) {
                    outgoing.open = 0;
                    outgoing.pending = 0;
                }
                // Stopped with a savepoint: what is open is committed, what was late included.
                outgoing.visible = outgoing.emitted();
                outgoing.open = 0;
                outgoing.pending = 0;
                outgoing.exists = false;
            }
            (Step::Finish, Phase::Sealed { .. }) if passed(INCOMING) => {
                next.phase = Phase::Stable;
                next.active = world.jobs[INCOMING].coordinator.job;
                next.incoming = None;
                next.fork = None;
            }
            _ => return false,
        }
        world.store(next, self);
        true
    }
}

impl World {
    /// A write to the record succeeds.
    fn store(&mut self, record: HandoverRecord, bounds: &Bounds) {
        let before = &self.record;
        self.broken = self.broken.or(laws::written(before, &record));
        if bounds.mutant == Some(Mutant::CommitWithoutVersion) {
            self.cut_seen = self.cut_seen.or(record.phase.cut().map(|it| it.0));
        }
        self.record = record;
        // What the gates count is nothing to the operator of this model.
        for report in [&mut self.record.blue, &mut self.record.green]
            .into_iter()
            .flatten()
        {
            report.gates = GatesReport::default();
        }
        self.version = self.version.next();
    }

    /// Gives equal names to what only differs by how long ago it was: versions keep their order, and no more.
    fn canonicalise(&mut self) {
        let newest = self.version;
        for job in &mut self.jobs {
            // A write on an old version has no effect any more.
            job.writes.retain(|(expected, _)| *expected == newest);
            // The highest timestamp that was dropped matters only to the epoch after this one.
            for subtask in &mut job.subtasks {
                subtask.gate.state.dropped = EventTime::NONE;
            }
            // Nobody restores what nobody can lose any more.
            for (state, position) in &mut job.checkpoint.subtasks {
                if self.crashes == 0 {
                    (*state, *position) = (GateState::default(), 0);
                }
                state.dropped = EventTime::NONE;
            }
            if self.record.phase.cut().is_some() {
                for known in job.coordinator.subtasks.values_mut() {
                    known.answer = None;
                    known.report = None;
                }
            }
            // What is gone differs by what it has written, and by nothing else.
            if !job.exists {
                job.writes.clear();
                job.subtasks.clear();
                job.checkpoint.subtasks.clear();
                job.checkpoint.id = CheckpointId(0);
                job.checkpoints = 0;
                job.coordinator = Coordinator::new(job.coordinator.job, Incarnation(0), 0);
            }
        }
        // The highest timestamp that the incoming job has emitted matters only to the epoch after this one.
        for subtask in &mut self.jobs[INCOMING].subtasks {
            subtask.gate.state.emitted = EventTime::NONE;
        }
        for (state, _) in &mut self.jobs[INCOMING].checkpoint.subtasks {
            state.emitted = EventTime::NONE;
        }
        if self.crashes == 0 {
            self.old = None;
        }
        let mut versions: Vec<Version> = vec![self.version];
        versions.extend(self.old.as_ref().map(|it| it.0));
        for job in &self.jobs {
            versions.extend(job.coordinator.seen.as_ref().map(|it| it.version));
            versions.extend(job.coordinator.writing);
            versions.extend(job.writes.iter().map(|it| it.0));
        }
        versions.sort_unstable();
        versions.dedup();
        let rank = |version: Version| {
            let place = versions.binary_search(&version).unwrap_or_default();
            Version(u64::try_from(place).unwrap_or_default())
        };
        self.version = rank(self.version);
        if let Some(old) = &mut self.old {
            old.0 = rank(old.0);
        }
        for job in &mut self.jobs {
            if let Some(seen) = &mut job.coordinator.seen {
                seen.version = rank(seen.version);
            }
            job.coordinator.writing = job.coordinator.writing.map(rank);
            for write in &mut job.writes {
                write.0 = rank(write.0);
            }
        }
    }
}
