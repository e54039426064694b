//! What takes no time in a world that is not slow, and what is forgotten: the short cuts that make all states few enough.
//!
//! Two steps that lead to the same state in either order need not be tried in both. For each short cut it is said here why
//! it loses nothing. Slow worlds take the first five and no other; a test compares how worlds end with and without the rest.
//!
//! * Both coordinators have read the newest record. Their gates learn of it late and one by one, which is how a coordinator
//!   that lags shows. What a new JobManager reads first may be old all the same: its write is refused, and it reads again.
//! * Answers arrive at once: nothing happens before the last one has, and one that comes after its attempt is void.
//! * The incoming job reports, and its writes land, at once: they only report, and what the operator makes of them it does
//!   when it likes.
//! * The incoming job does nothing more after ABORT: it is closed, and everything that it can hear keeps it closed.
//! * All subtasks report together. Where one reported without the other, the same H comes of reporting before the other
//!   emitted. That does not hold where the other's emission was in a checkpoint, and it dies; then the gate's own mark has it.
//! * The outgoing job's writes land at once, but for those which take an attempt, and those which write W or ABORT where
//!   somebody may die: H and reports only grow, the operator acts on them when it likes, and where nobody dies the race
//!   between W and the operator's ABORT ends as one of the two orders.
//! * That a checkpoint has completed, or proved that the cut is passed, is reported at once, for the same reason.
//! * A gate hears at once what changes no verdict of its: see [`rule`].
//! * A gate with no input left hears everything at once, unless it may die: it emits nothing but what it keeps, earlier or
//!   later, and where nobody dies nothing comes between that makes a difference but more of the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::handover::{
    Change, CheckpointId, Coordinator, CoordinatorMessage, Epoch, EventTime, HandoverRecord, Incarnation,
    Ordering, Phase, Report, SubtaskSituation, Told, Version,
};

use crate::world::{Bounds, INCOMING, JobWorld, OUTGOING, SubtaskWorld, World};

/// What decides about a gate's records, of what it was told: equal where every verdict is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Keeps,
    PassesEverything,
    DropsUpTo(EventTime),
    Other(Told),
}

/// The rule that follows from what a gate was told.
fn rule(told: Told, ordering: Ordering) -> Rule {
    match told {
        Told::Nothing => Rule::Keeps,
        Told::Outgoing(Phase::Stable | Phase::Standby { .. } | Phase::Abort) => Rule::PassesEverything,
        Told::Incoming(Phase::Standby { highest } | Phase::Prepare { highest, .. }) => {
            if highest == EventTime::NONE {
                Rule::Keeps
            } else {
                Rule::DropsUpTo(highest)
            }
        }
        Told::Incoming(Phase::Sealed { cut }) if ordering == Ordering::Overlap => {
            Rule::Other(Told::Incoming(Phase::Commit { cut }))
        }
        told => Rule::Other(told),
    }
}

impl Bounds {
    /// Lets everything happen that takes no time.
    pub(crate) fn settle(&self, world: &mut World) {
        loop {
            let mut is_settled = true;
            for place in [OUTGOING, INCOMING] {
                if !world.jobs[place].exists {
                    continue;
                }
                for answer in std::mem::take(&mut world.jobs[place].answers) {
                    self.coordinate(&mut world.jobs[place], answer);
                }
                let version = world.version;
                let has_read = |seen: &sluice_core::handover::Seen| seen.version >= version;
                if !world.jobs[place].coordinator.seen.as_ref().is_some_and(has_read) {
                    let record = Arc::clone(&world.record);
                    self.read(world, place, version, &record);
                    is_settled = false;
                }
                is_settled &= !self.write_at_once(world, place) && !self.hear_at_once(world, place);
                if (place == INCOMING || !self.slow) && self.publish(world, place, false) {
                    is_settled = false;
                }
            }
            if is_settled {
                return;
            }
        }
    }

    /// A coordinator never uses the other job's report; it is left out, so that fewer states differ.
    pub(crate) fn read(&self, world: &mut World, place: usize, version: Version, record: &HandoverRecord) {
        let mut record = record.clone();
        if place == OUTGOING {
            record.green = None;
        } else {
            record.blue = None;
        }
        let record = Box::new(record);
        self.coordinate(
            &mut world.jobs[place],
            CoordinatorMessage::Read { version, record },
        );
    }

    fn write_at_once(&self, world: &mut World, place: usize) -> bool {
        let takes_time = |world: &World, change: &Change| match change {
            Change::Report { report } | Change::Publish { report, .. } => {
                report.attempt != world.record.attempt(world.jobs[place].coordinator.job.color)
            }
            Change::Cut { .. } | Change::Abort { .. } => self.victims[OUTGOING],
        };
        let mut has_written = false;
        while let Some((_, change)) = world.jobs[place].writes.first() {
            if place == OUTGOING && (self.slow || takes_time(world, change)) {
                break;
            }
            self.write(world, place, 0);
            has_written = true;
        }
        has_written
    }

    fn hear_at_once(&self, world: &mut World, place: usize) -> bool {
        let is_over = place == INCOMING && world.record.phase == Phase::Abort;
        let mut has_heard = false;
        for (index, input) in self.inputs.iter().enumerate() {
            let Some(SubtaskWorld {
                gate,
                position,
                inbox: Some(orders),
            }) = world.jobs[place].subtasks.get(index)
            else {
                continue;
            };
            let says_nothing_new =
                rule(gate.told(), self.rules.ordering) == rule(orders.told, self.rules.ordering);
            let has_no_input = *position == input.len() && !self.is_mortal(world, place);
            if is_over || (!self.slow && (says_nothing_new || has_no_input)) {
                has_heard |= self.hear(world, place, index);
            }
        }
        has_heard
    }

    /// Forgets what makes no difference to anything that can still happen, and gives equal names to what only differs by how
    /// long ago it was.
    pub(crate) fn canonicalise(&self, world: &mut World) {
        let newest = world.version;
        let has_cut = world.record.phase.cut().is_some();
        // What was emitted matters to the next epoch.
        let is_last = world.record.epoch >= Epoch(self.epochs)
            || matches!(world.record.phase, Phase::Commit { .. } | Phase::Sealed { .. });
        for place in [OUTGOING, INCOMING] {
            let is_mortal = self.is_mortal(world, place);
            let job = &mut world.jobs[place];
            // A write on an old version has no effect any more.
            job.writes.retain(|(expected, _)| *expected == newest);
            job.forget(place, has_cut, is_last);
            if !is_mortal {
                job.forget_checkpoint(self.commit_lag && place == OUTGOING);
            }
            let heard_abort = |it: &SubtaskWorld| it.gate.told() == Told::Incoming(Phase::Abort);
            if place == INCOMING && job.subtasks.iter().all(heard_abort) {
                job.exists = false;
            }
            if !job.exists {
                job.vanish();
            }
        }
        if world.crashes == 0 {
            world.old = None;
            if !self.slow {
                world.same_life();
            }
        }
        world.rank_versions();
    }
}

impl JobWorld {
    /// What nobody will ask for again.
    fn forget(&mut self, place: usize, has_cut: bool, is_last: bool) {
        // Reports are published as they come, and H never goes down; answers are asked for once.
        let is_known =
            |known: &SubtaskSituation| known.report.is_some() || (has_cut && known.answer.is_some());
        if self.coordinator.subtasks.values().any(is_known) {
            for known in Arc::make_mut(&mut self.coordinator).subtasks.values_mut() {
                known.report = None;
                known.answer = known.answer.filter(|_| !has_cut);
            }
        }
        let gates = self.subtasks.iter_mut().map(|it| {
            // A gate that has not heard of W yet judges by the highest timestamp that it has emitted.
            let asks = matches!(it.gate.told(), Told::Outgoing(Phase::Prepare { cut: None, .. }));
            (&mut it.gate.state, asks)
        });
        let checkpoint = self.checkpoint.subtasks.iter_mut().map(|it| (&mut it.0, false));
        for (state, asks) in gates.chain(checkpoint) {
            // The highest timestamp that was dropped, or that the incoming job has emitted, matters only to the next epoch.
            state.dropped = EventTime::NONE;
            if place == INCOMING || (has_cut && is_last && !asks) {
                state.emitted = EventTime::NONE;
            }
        }
    }

    /// Nobody restores what nobody can lose; what is emitted is as good as committed, unless it `takes_time`.
    fn forget_checkpoint(&mut self, takes_time: bool) {
        self.checkpoint.subtasks.clear();
        if !takes_time {
            self.visible = self.emitted();
            self.open = 0;
            self.pending = 0;
        }
    }

    /// What is gone differs by what it has written, and by nothing else.
    fn vanish(&mut self) {
        self.writes.clear();
        self.subtasks.clear();
        self.checkpoint.subtasks.clear();
        self.checkpoint.id = CheckpointId(0);
        self.checkpoints = 0;
        self.visible = self.emitted();
        self.open = 0;
        self.pending = 0;
        self.coordinator = Arc::new(Coordinator::new(
            self.coordinator.job,
            Incarnation(0),
            0,
            BTreeMap::new(),
        ));
    }
}

impl World {
    /// With nobody left to die, whose life it is that took an attempt is known from the attempt.
    fn same_life(&mut self) {
        let alike = |report: &mut Option<Report>, life: Incarnation| {
            if let Some(report) = report.as_mut().filter(|it| it.incarnation == life) {
                report.incarnation = Incarnation(1);
            }
        };
        for place in [OUTGOING, INCOMING] {
            let job = &mut self.jobs[place];
            let life = job.coordinator.incarnation;
            let is_asking = matches!(
                job.coordinator.standing,
                sluice_core::handover::Standing::Starting { .. }
            );
            if !job.exists || is_asking || life == Incarnation(1) {
                continue;
            }
            let coordinator = Arc::make_mut(&mut job.coordinator);
            coordinator.incarnation = Incarnation(1);
            if let Some(seen) = &mut coordinator.seen {
                alike(&mut seen.record.blue, life);
                alike(&mut seen.record.green, life);
            }
            let record = Arc::make_mut(&mut self.record);
            if place == OUTGOING {
                alike(&mut record.blue, life);
            } else {
                alike(&mut record.green, life);
            }
        }
    }

    /// Versions keep their order, and no more.
    fn rank_versions(&mut self) {
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
            let (seen, writing) = (
                job.coordinator.seen.as_ref().map(|it| it.version),
                job.coordinator.writing,
            );
            if (seen, writing) != (seen.map(rank), writing.map(rank)) {
                let coordinator = Arc::make_mut(&mut job.coordinator);
                if let Some(seen) = &mut coordinator.seen {
                    seen.version = rank(seen.version);
                }
                coordinator.writing = writing.map(rank);
            }
            for write in &mut job.writes {
                write.0 = rank(write.0);
            }
        }
    }
}
