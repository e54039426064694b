//! What was decided about a handover: a value that can be printed, replayed and checked.

use std::fmt;

use jiff::Timestamp;
use sluice_api::blue_green::Color;

use super::guarantee::Guarantee;
use super::observed::{Observed, Role, Settings};
use crate::handover::{AbortReason, CheckpointId, Cut, HandoverRecord, Job, Version};
use crate::{Event, Wake};

/// What was decided. The record is written first; if that write is refused, nothing else of the decision is carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The record's next version; none if it stands.
    pub write: Option<Write>,
    /// What is asked of the decider of children. It follows from the record as read, and is asked again at every look until it is so.
    pub requests: Vec<Request>,
    /// What is being waited for; empty where nothing is.
    pub awaited: Vec<Awaited>,
    /// Until when; none: until it comes, or a person acts.
    pub until: Option<Timestamp>,
    /// Where the handover that is wanted stands.
    pub stands: Stands,
    /// What the records of both jobs add up to so far. To be kept, and handed back at the next look.
    pub guarantee: Promise,
    /// What to tell people; only with a write.
    pub event: Option<Event>,
    /// When to look again.
    pub wake: Wake,
}

/// A write of the whole record.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The version that has to stand there still; none: there must be no record.
    pub expected: Option<Version>,
    /// What is written.
    pub record: HandoverRecord,
}

/// What is asked of the decider of children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Stop this job with a savepoint and drain it, so that its sinks finish what they have open. That savepoint is for nothing else.
    StopDrained {
        /// The active job.
        job: Job,
    },
    /// Bring this job back from the last checkpoint that it completed, or from the savepoint that it was stopped with.
    Resume {
        /// A job without which the handover cannot end.
        job: Job,
    },
    /// This job was given up and stays closed for ever: it may be treated as any failed deployment.
    Release {
        /// The incoming job of a handover that was given up.
        job: Job,
    },
    /// Begin another transition to the same specification.
    StartOver {
        /// In which way.
        strategy: Strategy,
    },
}

/// How another transition is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// With a new fork.
    Watermark,
    /// The active job is stopped with a savepoint, and the incoming one starts from it.
    Savepoint,
    /// The active job is lost, and the incoming one starts from the last checkpoint that it completed.
    FromLastCheckpoint,
}

/// Where the handover that is wanted stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It is not known.
    Unknown,
    /// Nothing is under way. The record names the job that is wanted, or has not come to the transition yet.
    Settled,
    /// It is under way, and can be given up.
    Reversible,
    /// The point of no return is passed. Edits wait.
    Committed,
    /// The incoming job is the active one.
    HandedOver,
    /// It was given up.
    GivenUp {
        /// Why, if the record still says so.
        reason: Option<AbortReason>,
    },
}

/// What the records of both jobs add up to, and why it is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The least that holds.
    pub level: Guarantee,
    /// What lowered it, in the order in which it did.
    pub lowered: Vec<Lowered>,
}

/// Something that lowers a guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// To this at the most.
    pub to: Guarantee,
    /// The condition that is missing, and the remedy, in a sentence.
    pub why: String,
}

impl Promise {
    /// Nothing lowers it.
    pub const fn of(level: Guarantee) -> Self {
        Self {
            level,
            lowered: Vec::new(),
        }
    }

    /// This lowers it, if it says anything new.
    pub fn lower(&mut self, lowered: Lowered) {
        self.level = self.level.min(lowered.to);
        if !self.lowered.contains(&lowered) {
            self.lowered.push(lowered);
        }
    }
}

/// Whether a job may go, as far as its output is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// It has to stay.
    Stays,
    /// It has to be stopped with a savepoint and drained first.
    DrainFirst,
    /// It may be deleted.
    MayGo,
}

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The record to be readable.
    Record {
        /// What is wrong with it.
        why: String,
    },
    /// Nothing: the record is about a later transition than the one that is wanted.
    Superseded {
        /// Its epoch.
        larger: crate::handover::Epoch,
    },
    /// A person.
    Person {
        /// What has to be done.
        why: String,
    },
    /// Something that could not be observed.
    Observation {
        /// Of the job of this colour.
        color: Color,
        /// Why.
        why: String,
    },
    /// A job that is not to write any more has to have stopped.
    NotRunning {
        /// Its colour.
        color: Color,
    },
    /// The job to be RUNNING, and the incoming one STABLE.
    Running {
        /// Its colour.
        color: Color,
        /// What it does instead.
        how: String,
    },
    /// All its gates to report.
    Reports {
        /// Its colour.
        color: Color,
        /// Whether it has reported at all.
        any: bool,
    },
    /// A checkpoint of its own since its last start.
    OwnCheckpoint {
        /// Its colour.
        color: Color,
    },
    /// The active job to complete a checkpoint newer than the fork, so that it cannot go back behind it.
    NewerCheckpoint {
        /// Its colour.
        color: Color,
        /// The fork's.
        than: CheckpointId,
    },
    /// Its gates to see a watermark.
    Watermark {
        /// Its colour.
        color: Color,
        /// The gates that have none.
        gates: Vec<String>,
    },
    /// The incoming job to catch up.
    CaughtUp {
        /// Its colour.
        color: Color,
        /// How far its watermark is behind, in milliseconds.
        behind: i64,
        /// How far it may be, in milliseconds.
        allowed: i64,
    },
    /// The active job to have come to all that the standby dropped before it is handed back to.
    Overtaken {
        /// The standby's colour.
        color: Color,
    },
    /// A person to promote the switch.
    Promotion,
    /// The active job's subtasks to agree on the cut.
    Cut {
        /// Its colour.
        color: Color,
    },
    /// The job to have passed the cut at a completed checkpoint; the outgoing one: to be drained.
    Passed {
        /// Its colour.
        color: Color,
        /// Which of the two it is.
        role: Role,
        /// W.
        cut: Cut,
        /// The gates that have not, with their watermarks.
        gates: Vec<(String, i64)>,
        /// The incoming job writes nothing until then (STRICT).
        holds_up: bool,
    },
    /// The job to be stopped with a savepoint and drained.
    Stopped {
        /// Its colour.
        color: Color,
    },
    /// What the job's sinks wrote up to its drained checkpoint to be committed.
    Committed {
        /// Its colour.
        color: Color,
        /// What is pending, if it is known.
        pending: Option<u64>,
    },
    /// The job to be brought back.
    Back {
        /// Its colour.
        color: Color,
        /// What it does instead.
        how: String,
    },
}

impl Awaited {
    /// In a sentence without the figures that change at every look: where it is written down, each of them would be another write. They
    /// are in the gates' metrics.
    pub fn in_brief(&self) -> String {
        if let Self::CaughtUp { color, allowed, .. } = self {
            return format!("{color} to catch up: its watermark is more than {allowed} ms behind");
        }
        if let Self::Committed { color, .. } = self {
            return Self::Committed {
                color: *color,
                pending: None,
            }
            .to_string();
        }
        let Self::Passed {
            color,
            role,
            cut,
            gates,
            holds_up,
        } = self
        else {
            return self.to_string();
        };
        let cut =
            Timestamp::from_millisecond(cut.0).map_or_else(|_| cut.to_string(), |it| format!("{it:.3}"));
        let mut text = match role {
            Role::Outgoing => format!("{color} to be drained up to the cut {cut} at a completed checkpoint"),
            Role::Incoming => format!("{color} to pass the cut {cut} at a completed checkpoint"),
        };
        let names: Vec<&str> = gates.iter().map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            text = format!("{text}, {}", names.join(" and "));
        }
        if *holds_up {
            text.push_str("; nothing from the cut on is written until then");
        }
        text
    }

    /// Whether it concerns watermarks, which do not move where no input does.
    pub(super) const fn is_of_watermarks(&self) -> bool {
        matches!(
            self,
            Self::Watermark { .. } | Self::CaughtUp { .. } | Self::Overtaken { .. }
        )
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { why } => write!(f, "the handover record to be readable: {why}"),
            Self::Superseded { larger } => {
                write!(
                    f,
                    "nothing: the handover record is about transition {larger} by now"
                )
            }
            Self::Person { why } => write!(f, "a person: {why}"),
            Self::Observation { color, why } => write!(f, "what could not be observed of {color}: {why}"),
            Self::NotRunning { color } => write!(f, "{color} to be stopped"),
            Self::Running { color, how } => write!(f, "{color} to be RUNNING and STABLE: {how}"),
            Self::Reports { color, any: false } => {
                write!(f, "the gates of {color} to report: nothing has come from it")
            }
            Self::Reports { color, any: true } => write!(f, "all gates of {color} to report"),
            Self::OwnCheckpoint { color } => write!(f, "a checkpoint of {color} since its last start"),
            Self::NewerCheckpoint { color, than } => write!(
                f,
                "a checkpoint of {color} that is newer than the savepoint of the fork ({than})"
            ),
            Self::Watermark { color, gates } if gates.is_empty() => {
                write!(f, "a watermark at the gates of {color}")
            }
            Self::Watermark { color, gates } => {
                write!(f, "a watermark at {} of {color}", gates.join(" and "))
            }
            Self::CaughtUp {
                color,
                behind,
                allowed,
            } => write!(
                f,
                "{color} to catch up: its watermark is {behind} ms behind, {allowed} ms are allowed"
            ),
            Self::Overtaken { color } => {
                write!(f, "the active job to come to where {color} stopped writing")
            }
            Self::Promotion => f.write_str("a person to promote the switch"),
            Self::Cut { color } => write!(f, "the gates of {color} to agree on the cut"),
            Self::Passed {
                color,
                role,
                cut,
                gates,
                holds_up,
            } => {
                match role {
                    Role::Outgoing => write!(f, "{color} to be drained up to the cut {cut}")?,
                    Role::Incoming => write!(f, "{color} to pass the cut {cut}")?,
                }
                f.write_str(" at a completed checkpoint")?;
                for (place, (gate, watermark)) in gates.iter().enumerate() {
                    f.write_str(if place == 0 { ": " } else { ", " })?;
                    match *watermark {
                        i64::MIN => write!(f, "{gate} has no watermark")?,
                        watermark => write!(f, "the watermark at {gate} is {watermark}")?,
                    }
                }
                if *holds_up {
                    f.write_str("; nothing from the cut on is written until then")?;
                }
                Ok(())
            }
            Self::Stopped { color } => write!(f, "{color} to be stopped with a savepoint and drained"),
            Self::Committed {
                color,
                pending: Some(pending),
            } => write!(
                f,
                "the sinks of {color} to commit what they wrote: {pending} pending"
            ),
            Self::Committed { color, pending: None } => {
                write!(f, "the sinks of {color} to commit what they wrote")
            }
            Self::Back { color, how } => write!(f, "{color} to be back: {how}"),
        }
    }
}

impl Decision {
    /// Nothing is done.
    pub(super) fn waits(observed: &Observed, stands: Stands, awaited: Awaited) -> Self {
        Self {
            awaited: vec![awaited],
            ..Self::nothing(stands, observed.stated.clone())
        }
    }

    /// Nothing is done, and nothing awaited.
    pub(super) const fn nothing(stands: Stands, guarantee: Promise) -> Self {
        Self {
            write: None,
            requests: Vec::new(),
            awaited: Vec::new(),
            until: None,
            stands,
            guarantee,
            event: None,
            wake: Wake::OnChange,
        }
    }

    /// A deadline exists only where something is awaited.
    pub(super) fn looking_again(mut self, settings: &Settings, now: Timestamp) -> Self {
        if self.write.is_some() {
            self.awaited.clear();
            self.until = None;
            self.wake = Wake::Now;
            return self;
        }
        if self.awaited.is_empty() {
            self.until = None;
            return self;
        }
        let next = now
            .saturating_add(settings.reschedule_interval)
            .unwrap_or(Timestamp::MAX);
        self.wake = Wake::At(next);
        if let Some(until) = self.until.filter(|it| *it > now) {
            self.wake = self.wake.earlier(Wake::At(until));
        }
        self
    }
}
