//! What each event leads to.

use std::sync::Arc;

use sluice_core::handover::{
    CheckpointId, Coordinator, CoordinatorMessage, Epoch, EventTime, GateAction, GateMessage, GatesReport,
    HandoverRecord, Incarnation, Orders, Phase, SubtaskReport, Told, Watermark,
};

use crate::laws::{self, Law};
use crate::mutant::Mutant;
use crate::world::{Bounds, Checkpoint, Input, JobWorld, OUTGOING, SubtaskWorld, World, subtask};

/// No job needs more checkpoints.
const LAST_CHECKPOINT: CheckpointId = CheckpointId(12);

impl Bounds {
    pub(crate) fn handle(&self, world: &mut World, place: usize, index: usize) -> bool {
        let record = Arc::clone(&world.record);
        let job = &mut world.jobs[place];
        let subtask = &mut job.subtasks[index];
        let Some(event) = self.inputs[index].get(subtask.position).copied() else {
            return false;
        };
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

    pub(crate) fn hear(&self, world: &mut World, place: usize, index: usize) -> bool {
        let record = Arc::clone(&world.record);
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
    ) -> Option<Law> {
        let mut broken = None;
        for action in actions {
            match action {
                GateAction::Emit { record: number } => {
                    if job.emitted() & (1 << number) != 0 {
                        broken = Some(Law::OnceByOneJob);
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

    pub(crate) fn coordinate(&self, job: &mut JobWorld, message: CoordinatorMessage) {
        let (coordinator, actions) = Coordinator::clone(&job.coordinator).on(message);
        job.coordinator = Arc::new(coordinator);
        job.carry_out(actions, self.mutant);
    }

    /// All subtasks report, if they have something to say about H that counts and `of_highest` is set, and it is time to
    /// publish. A report that would lead to no write the protocol waits for is left out.
    pub(crate) fn publish(&self, world: &mut World, place: usize, of_highest: bool) -> bool {
        let forked = world.forked;
        let job = &mut world.jobs[place];
        let (Some(attempt), Some(seen), None) = (
            job.coordinator.attempt(),
            &job.coordinator.seen,
            job.coordinator.writing,
        ) else {
            return false;
        };
        let written = seen.record.report(job.coordinator.job.color);
        let settles = |id: CheckpointId| id > forked;
        let has_settled = place == OUTGOING
            && matches!(seen.record.phase, Phase::Standby { .. })
            && job.coordinator.completed.is_some_and(settles)
            && !written.and_then(|it| it.completed).is_some_and(settles);
        let has_passed = job.coordinator.passed.is_some()
            && job.coordinator.passed != written.and_then(|it| it.passed)
            && matches!(seen.record.phase, Phase::Commit { .. } | Phase::Sealed { .. });
        let highest = |it: &SubtaskWorld| {
            let is_of_attempt = it.gate.orders.is_some_and(|orders| orders.attempt == attempt);
            is_of_attempt.then_some(it.gate.state.emitted)
        };
        let highest: Vec<_> = job.subtasks.iter().map(highest).collect();
        let rises = match seen.record.phase {
            Phase::Standby { highest: published } if of_highest => {
                place == OUTGOING && highest.iter().flatten().max() > Some(&published)
            }
            _ => false,
        };
        if !has_settled && !has_passed && !rises {
            return false;
        }
        for (index, highest) in highest.into_iter().enumerate().filter(|_| rises) {
            let report = SubtaskReport {
                highest: highest.unwrap_or_default(),
                ..SubtaskReport::default()
            };
            let subtask = subtask(index);
            let message = CoordinatorMessage::Reported {
                subtask,
                attempt,
                report,
            };
            self.coordinate(job, message);
        }
        self.coordinate(job, CoordinatorMessage::PublishDue);
        true
    }

    pub(crate) fn write(&self, world: &mut World, place: usize, index: usize) -> bool {
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
                    ..HandoverRecord::clone(&world.record)
                },
                _ => world.record.with(color, &change),
            };
            world.store(next, self);
        }
        true
    }

    /// Whether a checkpoint of this job now would prove that the cut is passed; none if none completes now.
    pub(crate) fn next_checkpoint(&self, world: &World, place: usize) -> Option<bool> {
        let cut = world.record.phase.cut();
        let job = &world.jobs[place];
        let everyone_is_told = job.subtasks.iter().all(|it| it.gate.orders.is_some());
        if job.pending != 0 || !everyone_is_told {
            return None;
        }
        let has_passed = |it: &SubtaskWorld| {
            let state = &it.gate.state;
            cut.is_some_and(|cut| {
                let keeps = state.kept.iter().any(|it| cut.is_above(it.timestamp));
                state.watermark.has_reached(cut) && !keeps
            })
        };
        let judges_barriers = matches!(
            self.mutant,
            Some(Mutant::FirstDrainedSpeaksForAll | Mutant::IdleIsDrained)
        );
        let passes = job.coordinator.passed.is_none()
            && (job.subtasks.iter().all(has_passed)
                || (judges_barriers && job.subtasks.iter().any(has_passed)));
        (passes || job.checkpoints > 0).then_some(passes)
    }

    pub(crate) fn checkpoint(&self, world: &mut World, place: usize) -> bool {
        let Some(passes) = self.next_checkpoint(world, place) else {
            return false;
        };
        let cut = world.record.phase.cut();
        // A savepoint has a number, too.
        let forked = if place == OUTGOING {
            world.forked
        } else {
            CheckpointId(1)
        };
        let job = &mut world.jobs[place];
        if !passes {
            job.checkpoints -= 1;
        }
        let id = job.checkpoint.id.max(forked).next();
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
        if self.mutant != Some(Mutant::DrainedWithoutCheckpoint) || !passes {
            let state = |it: &SubtaskWorld| {
                let mut state = it.gate.state.clone();
                match self.mutant {
                    Some(Mutant::KeptIsNotCheckpointed) => state.kept.clear(),
                    Some(Mutant::WatermarkIsNotCheckpointed) => state.watermark = Watermark::NONE,
                    _ => {}
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
    pub(crate) fn die(&self, world: &mut World, place: usize, job_manager: Option<bool>) -> bool {
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
            self.read(world, place, version, &record);
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
}

impl World {
    /// A write to the record succeeds.
    pub(crate) fn store(&mut self, mut record: HandoverRecord, bounds: &Bounds) {
        let before = &self.record;
        self.broken = self.broken.or(laws::written(before, &record));
        if bounds.mutant == Some(Mutant::CommitWithoutVersion) {
            self.cut_seen = self.cut_seen.or(record.phase.cut().map(|it| it.0));
        }
        // What the gates count is left out: the operator may think at any time that it suffices.
        for report in [&mut record.blue, &mut record.green].into_iter().flatten() {
            report.gates = GatesReport::default();
        }
        self.record = Arc::new(record);
        self.version = self.version.next();
    }
}
