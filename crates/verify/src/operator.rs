//! The operator: the decisions that ship, made on what this world looks like.
//!
//! It may think at any moment that the incoming job is ready, as far as that is a matter of time and not of exactness: whether it has
//! caught up, reports, and has completed a checkpoint is made to look as if it were so. That nothing goes wrong then says that
//! nothing depends on it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sluice_core::Fact;
use sluice_core::handover::operator::{
    Decision, Goal, Guarantee, JobObserved, JobState, Observed, Origin, Promise, Request, Settings, decide,
    laws,
};
use sluice_core::handover::{
    CheckpointId, Epoch, Fork, GatesReport, HandoverRecord, Phase, Report, Seen, Watermark,
};

use crate::course::Step;
use crate::laws::Law;
use crate::mutant::Mutant;
use crate::world::{Bounds, Checkpoint, INCOMING, JobWorld, OUTGOING, World};

impl Bounds {
    /// The operator looks, and acts on what it decides.
    pub(crate) fn operate(&self, world: &mut World, step: Step) -> bool {
        if let Some(wrong) = self.does_wrong(world, step) {
            return wrong;
        }
        let epoch = world.record.epoch;
        match step {
            Step::Go => self.act_on(world, &going_on(&world.record)),
            Step::Abort => {
                let why = "a person asks for it".to_owned();
                self.act_on(world, &Goal::GiveUp { epoch, why })
            }
            Step::StartOver => self.start_over(world, epoch),
        }
    }

    /// Decides, and carries out; true if something was written.
    fn act_on(&self, world: &mut World, goal: &Goal) -> bool {
        let decision = self.decide(world, goal);
        if let Some(write) = decision.write {
            world.write(write.record, self);
            if matches!(world.record.phase, Phase::Sealed { .. }) {
                world.jobs[OUTGOING].exists = false;
            }
            return true;
        }
        let outgoing = world.jobs[OUTGOING].coordinator.job;
        if decision
            .requests
            .contains(&Request::StopDrained { job: outgoing })
        {
            world.jobs[OUTGOING].stop(self.mutant == Some(Mutant::DeletedBeforeCommit));
            return self.act_on(world, goal);
        }
        false
    }

    /// What the operator decides; a broken law of its own breaks one of this world.
    fn decide(&self, world: &mut World, goal: &Goal) -> Decision {
        let settings = Settings {
            max_lag: SignedDuration::MAX,
            require: Guarantee::None,
            ordering: self.rules.ordering,
            ..Settings::default()
        };
        let observed = self.observe(world, goal);
        let now = Timestamp::UNIX_EPOCH;
        let mut decision = decide(&observed, &settings, now);
        if !laws::check(&observed, &settings, &decision, now).is_empty() {
            world.broken = world.broken.or(Some(Law::Operator));
        }
        if let Some(write) = &mut decision.write {
            write.record.blue.clone_from(&world.record.blue);
            write.record.green.clone_from(&world.record.green);
            if self.mutant == Some(Mutant::PrepareWithoutSettledFork) && write.record.incoming.is_some() {
                write.record.fork = world.record.fork;
            }
        }
        decision
    }

    fn observe(&self, world: &World, goal: &Goal) -> Observed {
        let mut record = HandoverRecord::clone(&world.record);
        for report in [&mut record.blue, &mut record.green].into_iter().flatten() {
            look_ready(report);
        }
        if let Some(report) = &mut record.green {
            let restored = report.restores.last().and_then(|it| it.checkpoint);
            report.completed = report.completed.max(restored.map(CheckpointId::next));
        }
        if self.mutant == Some(Mutant::PrepareWithoutSettledFork) {
            record.fork = None;
        }
        let job = |place: usize| {
            let job = &world.jobs[place];
            Fact::Present(JobObserved {
                created_for: job.coordinator.job.created_for,
                state: job.state(),
                still_since: None,
                committables: Fact::Absent,
            })
        };
        Observed {
            record: Fact::Present(Seen {
                version: world.version,
                record,
            }),
            goal: goal.clone(),
            blue: job(OUTGOING),
            green: job(INCOMING),
            forced: None,
            stated: Promise::of(Guarantee::ExactlyOnce),
        }
    }

    /// What was given up is begun anew, with a savepoint of what the outgoing job is now.
    fn start_over(&self, world: &mut World, epoch: Epoch) -> bool {
        if !self.may_start_over(world) {
            return false;
        }
        let outgoing = &world.jobs[OUTGOING];
        let checkpoint = outgoing.checkpoint.id.max(world.forked).next();
        let attempt = world.record.attempt(outgoing.coordinator.job.color);
        let subtasks = outgoing.subtasks.iter().map(|it| {
            let mut state = it.gate.state.clone();
            if self.mutant == Some(Mutant::ForkForgetsKept) {
                state.kept.clear();
            }
            (state, it.position)
        });
        let subtasks = subtasks.collect();
        world.forked = checkpoint;
        world.jobs[OUTGOING].checkpoints = self.checkpoints[OUTGOING];
        let goal = Goal::HandOver {
            epoch: epoch.next(),
            origin: Origin::Fork {
                fork: Fork { checkpoint, attempt },
                highest: None,
            },
        };
        // ABORT becomes STABLE first. A coordinator that lags sees neither.
        while world.broken.is_none() && !matches!(world.record.phase, Phase::Standby { .. }) {
            if !self.act_on(world, &goal) {
                return false;
            }
        }
        let id = checkpoint;
        world.jobs[INCOMING].replace(self, epoch.next(), Checkpoint { id, subtasks });
        true
    }

    /// Whether what was given up may be begun anew.
    pub(crate) fn may_start_over(&self, world: &World) -> bool {
        let outgoing = &world.jobs[OUTGOING];
        world.record.phase == Phase::Abort
            && world.record.epoch < Epoch(self.epochs)
            && outgoing.exists
            && outgoing.subtasks.iter().all(|it| it.gate.orders.is_some())
    }

    /// What an operator does that is not the one that ships.
    fn does_wrong(&self, world: &mut World, step: Step) -> Option<bool> {
        let phase = match (self.mutant, step, world.record.phase) {
            (Some(Mutant::CommitWithoutVersion), Step::Go, Phase::Abort) => {
                let Some(cut) = world.cut_seen else {
                    return Some(false);
                };
                Phase::Commit {
                    cut: sluice_core::handover::Cut(cut),
                }
            }
            (Some(Mutant::AbortAfterCommit), Step::Abort, Phase::Commit { .. }) => Phase::Abort,
            _ => return None,
        };
        let mut record = HandoverRecord::clone(&world.record);
        record.phase = phase;
        world.store(record, self);
        Some(true)
    }
}

/// The handover of the record is to go on.
fn going_on(record: &HandoverRecord) -> Goal {
    let fork = record.fork.unwrap_or(Fork {
        checkpoint: CheckpointId(0),
        attempt: sluice_core::handover::Attempt(0),
    });
    Goal::HandOver {
        epoch: record.epoch,
        origin: Origin::Fork { fork, highest: None },
    }
}

/// As far as it is a matter of time.
fn look_ready(report: &mut Report) {
    report.gates = GatesReport {
        all_reporting: true,
        heard: Some(Epoch(u64::MAX)),
        watermark: Watermark(0),
        ..GatesReport::default()
    };
}

impl World {
    /// The operator writes. Nobody says when: a deadline is as good as passed at any time, as a person may give up at any time.
    fn write(&mut self, mut record: HandoverRecord, bounds: &Bounds) {
        record.deadline = None;
        record.reason = None;
        self.store(record, bounds);
    }
}

impl JobWorld {
    /// What people see of it.
    fn state(&self) -> JobState {
        if self.exists {
            JobState::Running {
                since: Timestamp::UNIX_EPOCH,
                stable: true,
            }
        } else {
            JobState::Stopped {
                savepoint: Some("a savepoint".to_owned()),
                drained: true,
            }
        }
    }

    /// It is stopped with a savepoint, and drained: what is open is committed, what was late included.
    fn stop(&mut self, forgets_what_is_open: bool) {
        if forgets_what_is_open {
            self.open = 0;
            self.pending = 0;
        }
        self.visible = self.emitted();
        self.open = 0;
        self.pending = 0;
        self.exists = false;
    }

    /// Another job takes the place of one that was given up.
    fn replace(&mut self, bounds: &Bounds, created_for: Epoch, fork: Checkpoint) {
        let mut job = self.coordinator.job;
        job.created_for = created_for;
        let restored = fork.id;
        *self = Self::new(job, fork, bounds.checkpoints[INCOMING], bounds.rules);
        self.start(restored, None);
        Arc::make_mut(&mut self.coordinator).seen = None;
    }
}
