//! All that the operator's decisions about a handover depend on.

use jiff::{SignedDuration, Timestamp};
use sluice_api::blue_green::Color;

use super::decision::Promise;
use super::guarantee::Guarantee;
use crate::Fact;
use crate::handover::{CheckpointId, Epoch, EventTime, Fork, Job, Ordering, Seen};

/// All that a decision depends on, besides the settings and the time.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The record as read. Unknown where it could not be reached or cannot be understood.
    pub record: Fact<Seen>,
    /// What is wanted.
    pub goal: Goal,
    /// The job in the blue child.
    pub blue: Fact<JobObserved>,
    /// The job in the green child.
    pub green: Fact<JobObserved>,
    /// A person has asked to seal the handover of this epoch, whatever may be missing then.
    pub forced: Option<Epoch>,
    /// What the two jobs' records add up to as it was stated last; at first as it was computed before anything started. It never
    /// gets better by itself.
    pub stated: Promise,
}

impl Observed {
    /// The job in the child of this colour.
    pub const fn job(&self, color: Color) -> &Fact<JobObserved> {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}

/// What the decider of blue and green wants of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This job alone is to be active. Where the record names another, that one has to be stopped first: it is how strategy
    /// SAVEPOINT hands over, and how it goes back.
    Active {
        /// The number of the last transition.
        epoch: Epoch,
        /// The job.
        job: Job,
        /// The path that it starts from, if it waits to be told.
        savepoint: Option<String>,
    },
    /// The job of the other colour takes over from the active one at a cut in event time.
    HandOver {
        /// The number of the transition.
        epoch: Epoch,
        /// Where the incoming job comes from.
        origin: Origin,
    },
    /// The handover of this transition is to be given up, if it still can be.
    GiveUp {
        /// The number of the transition.
        epoch: Epoch,
        /// In a sentence.
        why: String,
    },
}

impl Goal {
    /// The number of the transition.
    pub const fn epoch(&self) -> Epoch {
        match self {
            Self::Active { epoch, .. } | Self::HandOver { epoch, .. } | Self::GiveUp { epoch, .. } => *epoch,
        }
    }
}

/// Where an incoming job comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was created for this epoch, from a savepoint of the active job, which goes on.
    Fork {
        /// The savepoint, and the attempt that the record named before it was asked for. A later one could hide a restart.
        fork: Fork,
        /// The highest timestamp that the gates' state in that savepoint names, if it was read. It is needed where the active job
        /// is assumed to be deterministic.
        highest: Option<EventTime>,
    },
    /// It is the outgoing job of an earlier handover, and has waited closed since. It is handed back to.
    Standby {
        /// The epoch that it was created for.
        created_for: Epoch,
    },
}

/// Which of the two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The active one.
    Outgoing,
    /// The one that takes over.
    Incoming,
}

/// What is observed of the job in a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobObserved {
    /// The epoch that it was created for, by the child's own label.
    pub created_for: Epoch,
    /// What it does.
    pub state: JobState,
    /// Since when neither its gates' watermarks nor their figures have changed, by the reports that this process has read.
    pub still_since: Option<Timestamp>,
    /// What its sinks have to commit.
    pub committables: Fact<Committables>,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It is coming up, or restarts.
    Starting {
        /// In its own words.
        how: String,
    },
    /// It runs.
    Running {
        /// Since when.
        since: Timestamp,
        /// Its child is STABLE: it will not be rolled back.
        stable: bool,
    },
    /// It was stopped.
    Stopped {
        /// The savepoint that it was stopped with; none if it was cancelled.
        savepoint: Option<String>,
        /// It was drained: its input was declared to have ended, so that sinks finished what they had open.
        drained: bool,
    },
    /// It came to the end of its input, and has committed everything.
    Finished,
    /// It has failed for good.
    Failed {
        /// In its own words.
        why: String,
    },
}

/// What the sinks of a job have to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committables {
    /// All that was emitted before the barrier of this checkpoint is accounted for.
    pub checkpoint: CheckpointId,
    /// Not committed yet.
    pub pending: u64,
    /// Given up: their records are lost.
    pub failed: u64,
}

/// What the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long the incoming job has, from its creation, to be ready to take over (`abort.grace-period`).
    pub ready_within: SignedDuration,
    /// How long PREPARE may last, in which the active job keeps records back.
    pub prepare_within: SignedDuration,
    /// How far the incoming job's watermark may be behind the active one's (`bluegreen.handover.max-lag`).
    pub max_lag: SignedDuration,
    /// After how long without any change the active job's input counts as still, where Flink does not call it idle.
    pub still_after: SignedDuration,
    /// When the incoming job begins to emit (`bluegreen.gate.ordering`).
    pub ordering: Ordering,
    /// Whether strategy SAVEPOINT takes over where nothing moves (`bluegreen.gate.fallback`).
    pub fallback: bool,
    /// `bluegreen.gate.assume-deterministic`.
    pub assume_deterministic: bool,
    /// The least that the user accepts (`bluegreen.handover.require`).
    pub require: Guarantee,
    /// Whether a person has to promote the switch, and has not.
    pub awaits_promotion: bool,
    /// How long the outgoing job stays afterwards (`deployment-deletion.delay`). Where it stays, it is a hot standby.
    pub deletion_delay: SignedDuration,
    /// An upper bound between two looks at what has not changed.
    pub reschedule_interval: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ready_within: SignedDuration::from_mins(10),
            prepare_within: SignedDuration::from_mins(2),
            max_lag: SignedDuration::from_secs(5),
            still_after: SignedDuration::from_secs(30),
            ordering: Ordering::Overlap,
            fallback: true,
            assume_deterministic: false,
            require: Guarantee::ExactlyOnceExceptLate,
            awaits_promotion: false,
            deletion_delay: SignedDuration::ZERO,
            reschedule_interval: SignedDuration::from_secs(15),
        }
    }
}
