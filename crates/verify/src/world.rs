//! The state of the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::Color;
use sluice_core::handover::{
    Attempt, Change, CheckpointId, Coordinator, CoordinatorMessage, Epoch, EventTime, Fork, Gate, GateState,
    HandoverRecord, Incarnation, Job, Orders, Phase, Report, Rules, Subtask, Told, Version, Watermark,
};

use crate::laws::Law;
use crate::mutant::Mutant;

/// How far W may lie ahead of the watermark: as far as the inputs go.
const MAX_CUT_LEAD: i64 = 1_000;

/// What comes to a subtask, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A record of this event time.
    Record(i64),
    /// A record that is late.
    Late(i64),
    /// A watermark.
    Watermark(i64),
}

/// A bounded world to search.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// What comes to each subtask, of either job.
    pub inputs: Vec<Vec<Input>>,
    /// How much of each input the outgoing job had handled when it was forked.
    pub forked_at: Vec<usize>,
    /// How many times tasks or JobManagers die.
    pub crashes: u8,
    /// Whose do, the outgoing job's and the incoming one's. Where one dies in all, two worlds with one victim each say as much
    /// as one world with both, and are much smaller: nobody has to remember what the other job could restore.
    pub victims: [bool; 2],
    /// How many checkpoints each job completes before it has passed the cut.
    pub checkpoints: [u8; 2],
    /// Whether output is committed some time after its checkpoint.
    pub commit_lag: bool,
    /// Whether records are ever kept for too long. What follows is what the operator's ABORT does, too.
    pub hold_timeout: bool,
    /// Whether everything takes its time, without the short cuts of [`crate::haste`]. Too large to search in full.
    pub slow: bool,
    /// How many handovers are begun, if the earlier ones are given up.
    pub epochs: u64,
    /// What the user chose for the gates.
    pub rules: Rules,
    /// What is done wrong.
    pub mutant: Option<Mutant>,
}

/// A set of records, one bit each.
pub type Records = u16;

/// The whole world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The record in the store.
    pub record: Arc<HandoverRecord>,
    /// Its version.
    pub version: Version,
    /// The oldest, which a new JobManager may read first.
    pub old: Option<(Version, Arc<HandoverRecord>)>,
    /// The outgoing and the incoming job.
    pub jobs: [JobWorld; 2],
    /// What may still die.
    pub crashes: u8,
    /// The last savepoint that an incoming job was forked from.
    pub forked: CheckpointId,
    /// W, once it was written; for the mutant that ignores versions.
    pub cut_seen: Option<i64>,
    /// A law that the step which led here broke.
    pub broken: Option<Law>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JobWorld {
    /// Whether it still exists.
    pub exists: bool,
    /// In its JobManager.
    pub coordinator: Arc<Coordinator>,
    /// Its gate's subtasks.
    pub subtasks: Vec<SubtaskWorld>,
    /// The last checkpoint that completed.
    pub checkpoint: Checkpoint,
    /// How many more checkpoints it completes before it has passed the cut.
    pub checkpoints: u8,
    /// Writes to the record that are under way, also those of JobManagers that are gone.
    pub writes: Vec<(Version, Change)>,
    /// Answers that are under way, also those of attempts that are gone.
    pub answers: Vec<CoordinatorMessage>,
    /// Emitted since the last checkpoint.
    pub open: Records,
    /// In a completed checkpoint, and not yet committed.
    pub pending: Records,
    /// Committed.
    pub visible: Records,
}

/// One subtask of a gate, with the source before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubtaskWorld {
    /// The gate; its records are their numbers.
    pub gate: Gate<u8>,
    /// How much of the input it has handled.
    pub position: usize,
    /// What its coordinator told it that has not arrived.
    pub inbox: Option<Orders>,
}

/// A completed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Its id.
    pub id: CheckpointId,
    /// Each gate's state, and how much of its input was handled.
    pub subtasks: Vec<(GateState<u8>, usize)>,
}

/// The outgoing job's place in [`World::jobs`].
pub const OUTGOING: usize = 0;
/// The incoming job's place in [`World::jobs`].
pub const INCOMING: usize = 1;

/// The subtask of this index.
pub fn subtask(index: usize) -> Subtask {
    Subtask::new(0, u16::try_from(index).unwrap_or_default())
}

impl Bounds {
    /// The number of a record: its bit.
    pub fn number(&self, subtask: usize, position: usize) -> u8 {
        let before: usize = self.inputs.iter().take(subtask).map(Vec::len).sum();
        u8::try_from(before + position).unwrap_or_default()
    }

    /// The event time of the record of this number, and whether it is late.
    pub fn record(&self, number: u8) -> Option<(i64, bool)> {
        let events = self.inputs.iter().flatten();
        match events.copied().nth(usize::from(number)) {
            Some(Input::Record(timestamp)) => Some((timestamp, false)),
            Some(Input::Late(timestamp)) => Some((timestamp, true)),
            Some(Input::Watermark(_)) | None => None,
        }
    }

    /// Every record for which this holds, by its event time and whether it is late.
    pub fn records(&self, holds: impl Fn(i64, bool) -> bool) -> Records {
        let events = self.inputs.iter().flatten().enumerate();
        let records = events.filter(|(_, event)| match event {
            Input::Record(timestamp) => holds(*timestamp, false),
            Input::Late(timestamp) => holds(*timestamp, true),
            Input::Watermark(_) => false,
        });
        records.fold(0, |set, (number, _)| set | 1 << number)
    }

    /// Whether a task or JobManager of this job may still die.
    pub const fn is_mortal(&self, world: &World, place: usize) -> bool {
        world.crashes > 0 && self.victims[place]
    }

    /// STANDBY has been written, the incoming job has been created from the fork, and starts.
    pub fn begin(&self) -> World {
        let job = |color, created_for| Job {
            color,
            created_for: Epoch(created_for),
        };
        let blue = job(Color::Blue, 0);
        let report = Report::of_new_attempt(None, Epoch(0), Attempt(1), Incarnation(1), None);
        let record = HandoverRecord {
            epoch: Epoch(1),
            phase: Phase::Standby {
                highest: EventTime::NONE,
            },
            active: blue,
            incoming: Some(Epoch(1)),
            fork: Some(Fork {
                checkpoint: CheckpointId(1),
                attempt: Attempt(1),
            }),
            savepoint: None,
            deadline: None,
            reason: None,
            blue: Some(report),
            green: None,
            is_first_deployment: false,
            deletion_delay_ms: 0,
        };
        let (fork, emitted) = self.fork();
        // The outgoing job completed a checkpoint before the fork, from nothing: a savepoint is not what it restarts from.
        let start = Checkpoint {
            id: CheckpointId(0),
            subtasks: vec![(at_the_start(), 0); self.inputs.len()],
        };
        let outgoing = JobWorld::new(blue, start, self.checkpoints[OUTGOING], self.rules);
        let incoming = JobWorld::new(
            job(Color::Green, 1),
            fork.clone(),
            self.checkpoints[INCOMING],
            self.rules,
        );
        let mut world = World {
            record: Arc::new(record),
            version: Version(1),
            old: None,
            jobs: [outgoing, incoming],
            crashes: self.crashes,
            forked: CheckpointId(1),
            cut_seen: None,
            broken: None,
        };
        world.jobs[OUTGOING].outgoing_at_the_fork(&fork, emitted, &world.record);
        world.old = (self.crashes > 0).then(|| (world.version, world.record.clone()));
        let restored = world.jobs[INCOMING].checkpoint.id;
        world.jobs[INCOMING].start(restored, None);
        Arc::make_mut(&mut world.jobs[INCOMING].coordinator).seen = None;
        world
    }

    /// The gates at the fork, and what the outgoing job had emitted by then.
    fn fork(&self) -> (Checkpoint, Records) {
        let mut emitted = 0;
        let mut subtasks = Vec::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let mut state = at_the_start();
            let handled = self.forked_at[index];
            for (position, event) in input.iter().take(handled).enumerate() {
                match event {
                    Input::Record(timestamp) | Input::Late(timestamp) => {
                        state.emitted = state.emitted.max(EventTime::of(*timestamp));
                        emitted |= 1 << self.number(index, position);
                    }
                    Input::Watermark(watermark) => state.watermark = Watermark(*watermark),
                }
            }
            subtasks.push((state, handled));
        }
        let id = CheckpointId(1);
        (Checkpoint { id, subtasks }, emitted)
    }
}

/// A watermark has come before the first record, as it does where sources are not brand-new.
fn at_the_start() -> GateState<u8> {
    GateState {
        watermark: Watermark(0),
        ..GateState::default()
    }
}

impl JobWorld {
    pub(crate) fn new(job: Job, checkpoint: Checkpoint, checkpoints: u8, rules: Rules) -> Self {
        let subtasks = checkpoint.subtasks.iter().map(|(state, position)| SubtaskWorld {
            gate: Gate::start(rules, state.clone()),
            position: *position,
            inbox: None,
        });
        Self {
            exists: true,
            coordinator: Arc::new(Coordinator::new(
                job,
                Incarnation(1),
                MAX_CUT_LEAD,
                BTreeMap::new(),
            )),
            subtasks: subtasks.collect(),
            checkpoint,
            checkpoints,
            writes: Vec::new(),
            answers: Vec::new(),
            open: 0,
            pending: 0,
            visible: 0,
        }
    }

    /// The outgoing job runs on from the fork: it holds its attempt, and its gates pass.
    fn outgoing_at_the_fork(&mut self, fork: &Checkpoint, emitted: Records, record: &HandoverRecord) {
        let mut stable = record.clone();
        stable.phase = Phase::Stable;
        stable.incoming = None;
        stable.fork = None;
        let orders = Orders {
            epoch: Epoch(1),
            attempt: Attempt(1),
            told: Told::Outgoing(Phase::Stable),
        };
        for (subtask, (state, position)) in self.subtasks.iter_mut().zip(&fork.subtasks) {
            subtask.gate.state = state.clone();
            subtask.gate.orders = Some(orders);
            subtask.position = *position;
        }
        self.open = emitted;
        let coordinator = Arc::make_mut(&mut self.coordinator);
        coordinator.standing = sluice_core::handover::Standing::Holds { attempt: Attempt(1) };
        coordinator.subtasks = (0..self.subtasks.len())
            .map(|index| (subtask(index), sluice_core::handover::SubtaskSituation::default()))
            .collect();
        coordinator.seen = Some(sluice_core::handover::Seen {
            version: Version(0),
            record: stable,
        });
        coordinator.told = Some(orders);
    }

    /// Its tasks start from its last checkpoint; in a new JobManager if there is an incarnation.
    pub fn start(&mut self, restored: CheckpointId, incarnation: Option<Incarnation>) {
        for (subtask, (state, position)) in self.subtasks.iter_mut().zip(&self.checkpoint.subtasks) {
            subtask.gate = Gate::start(subtask.gate.rules, state.clone());
            subtask.position = *position;
            subtask.inbox = None;
        }
        // What a completed checkpoint had prepared is committed when it is restored.
        self.open = 0;
        self.visible |= self.pending;
        self.pending = 0;
        let coordinator = match incarnation {
            Some(incarnation) => {
                Coordinator::new(self.coordinator.job, incarnation, MAX_CUT_LEAD, BTreeMap::new())
            }
            None => Coordinator::clone(&self.coordinator),
        };
        let subtasks: BTreeMap<_, _> = (0..self.subtasks.len())
            .map(|index| (subtask(index), None))
            .collect();
        let restored = (restored > CheckpointId(0)).then_some(restored);
        let (coordinator, actions) = coordinator.on(CoordinatorMessage::Started { restored, subtasks });
        // Before the first task is there, no attempt is taken; nothing else differs.
        let first = subtask(0);
        let (coordinator, more) = coordinator.on(CoordinatorMessage::Ready { subtask: first });
        self.coordinator = Arc::new(coordinator);
        self.carry_out(actions.into_iter().chain(more).collect(), None);
    }

    /// Puts what the coordinator does on its way.
    pub fn carry_out(
        &mut self,
        actions: Vec<sluice_core::handover::CoordinatorAction>,
        mutant: Option<Mutant>,
    ) {
        use sluice_core::handover::CoordinatorAction::{Tell, Write};
        for action in actions {
            match action {
                Write { expected, change } => {
                    let change = match mutant {
                        Some(mutant) => mutant.write(&self.coordinator, *change),
                        None => *change,
                    };
                    self.writes.push((expected, change));
                }
                Tell { orders, .. } => {
                    let orders = mutant.map_or(orders, |it| it.tell(orders));
                    for subtask in &mut self.subtasks {
                        subtask.inbox = Some(orders);
                    }
                }
            }
        }
    }

    /// Everything that it emitted and did not lose.
    pub const fn emitted(&self) -> Records {
        self.open | self.pending | self.visible
    }
}
