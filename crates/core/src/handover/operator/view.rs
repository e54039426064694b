//! What a decision sees, with the questions that several rules ask.

use jiff::Timestamp;
use sluice_api::blue_green::Color;

use super::decision::{Awaited, Decision, Promise, Request, Stands, Write};
use super::guarantee;
use super::observed::{Committables, JobObserved, JobState, Observed, Role, Settings};
use crate::handover::{Cut, HandoverRecord, Job, Lineage, Phase, Report, Seen, Watermark};
use crate::{Event, Fact};

/// All that a rule sees.
pub(super) struct View<'a> {
    pub observed: &'a Observed,
    pub settings: &'a Settings,
    pub now: Timestamp,
    pub seen: &'a Seen,
    pub record: &'a HandoverRecord,
}

/// What is known of a job in the place that the record gives it.
pub(super) enum Known<'a> {
    /// It could not be observed.
    Unknown(&'a str),
    /// It is not there: there is no child, or another job's.
    Gone,
    /// It is there.
    There(&'a JobObserved),
}

impl<'a> View<'a> {
    /// Whether the record says that there is no way back.
    pub const fn is_past_no_return(&self) -> bool {
        matches!(self.record.phase, Phase::Commit { .. } | Phase::Sealed { .. })
    }

    /// What the coordinator of this very job reports.
    pub fn report(&self, job: Job) -> Option<&'a Report> {
        let report = self.record.report(job.color);
        report.filter(|it| it.created_for == job.created_for)
    }

    /// What is known of this very job.
    pub fn known(&self, job: Job) -> Known<'a> {
        match self.observed.job(job.color) {
            Fact::Unknown(why) => Known::Unknown(why),
            Fact::Present(observed) if observed.created_for == job.created_for => Known::There(observed),
            Fact::Present(_) | Fact::Absent => Known::Gone,
        }
    }

    /// Whether this job is known not to write, and not to begin to.
    pub fn is_down(&self, job: Job) -> bool {
        match self.known(job) {
            Known::Unknown(_) => false,
            Known::Gone => true,
            Known::There(observed) => match observed.state {
                JobState::Stopped { .. } | JobState::Finished | JobState::Failed { .. } => true,
                JobState::Starting { .. } | JobState::Running { .. } => false,
            },
        }
    }

    /// Whether this job has proved, or can no longer fail to have, that it has passed the cut of this epoch.
    pub fn has_passed(&self, job: Job) -> bool {
        let proof = self.report(job).and_then(|it| it.passed);
        proof.is_some_and(|it| it.epoch == self.record.epoch) || self.has_finished(job)
    }

    /// Whether this job has come to the end of its input.
    pub fn has_finished(&self, job: Job) -> bool {
        matches!(
            self.known(job),
            Known::There(JobObserved {
                state: JobState::Finished,
                ..
            })
        )
    }

    /// What the active job's restarts mean for the fork. Without a fork there is nothing to go back behind.
    pub fn lineage(&self) -> Lineage {
        match (self.record.fork, self.report(self.record.active)) {
            (None, _) => Lineage::Onward,
            (Some(fork), Some(report)) => fork.lineage(report),
            // It has said nothing yet.
            (Some(_), None) => Lineage::Onward,
        }
    }

    /// What the active job's sinks have to commit.
    pub fn committables(&self) -> Option<Committables> {
        match self.known(self.record.active) {
            Known::There(observed) => observed.committables.present().copied(),
            Known::Unknown(_) | Known::Gone => None,
        }
    }

    /// How much of it was given up.
    pub fn failed_committables(&self) -> u64 {
        self.committables().map_or(0, |it| it.failed)
    }

    /// The job has not passed the cut: which gates, and how far they are.
    pub fn awaits_passing(&self, job: Job, role: Role, cut: Cut) -> Awaited {
        use crate::handover::Ordering;
        let gates = self.report(job).into_iter().flat_map(|it| &it.gates.each);
        let behind = gates.filter(|it| !it.watermark.has_reached(cut));
        Awaited::Passed {
            color: job.color,
            role,
            cut,
            gates: behind.map(|it| (guarantee::name(it), it.watermark.0)).collect(),
            holds_up: role == Role::Outgoing && self.settings.ordering == Ordering::Strict,
        }
    }

    /// The names of the gates that see no watermark.
    pub fn without_watermark(&self, job: Job) -> Vec<String> {
        let gates = self.report(job).into_iter().flat_map(|it| &it.gates.each);
        gates
            .filter(|it| it.watermark == Watermark::NONE)
            .map(guarantee::name)
            .collect()
    }

    /// What the records add up to so far.
    pub fn promise(&self) -> Promise {
        guarantee::so_far(self)
    }

    /// Nothing is done.
    pub fn waits(&self, stands: Stands, awaited: Vec<Awaited>) -> Decision {
        Decision {
            awaited,
            ..Decision::nothing(stands, self.promise())
        }
    }

    /// Something is asked for.
    pub fn requests(&self, stands: Stands, requests: Vec<Request>, awaited: Vec<Awaited>) -> Decision {
        Decision {
            requests,
            ..self.waits(stands, awaited)
        }
    }

    /// The record's next version is written, on the condition that it is still the one that was read.
    pub fn writes(&self, stands: Stands, record: HandoverRecord, event: Event) -> Decision {
        Decision {
            write: Some(Write {
                expected: Some(self.seen.version),
                record,
            }),
            event: Some(event),
            ..Decision::nothing(stands, self.promise())
        }
    }

    /// The record as read in another phase. A deadline belongs to one phase.
    pub fn in_phase(&self, phase: Phase) -> HandoverRecord {
        HandoverRecord {
            phase,
            deadline: None,
            ..self.record.clone()
        }
    }

    /// What the job does, in words, where it does not run.
    pub fn how(&self, job: Job) -> String {
        match self.known(job) {
            Known::Unknown(why) => format!("it could not be observed: {why}"),
            Known::Gone => "it is not there".to_owned(),
            Known::There(observed) => match &observed.state {
                JobState::Starting { how } => how.clone(),
                JobState::Running { since, stable: true } => format!("it runs since {since:.0}"),
                JobState::Running { since, stable: false } => {
                    format!("it runs since {since:.0} and is not STABLE yet")
                }
                JobState::Stopped {
                    savepoint: Some(path),
                    ..
                } => format!("it was stopped with {path}"),
                JobState::Stopped { savepoint: None, .. } => "it was cancelled".to_owned(),
                JobState::Finished => "it has finished".to_owned(),
                JobState::Failed { why } => format!("it has failed: {why}"),
            },
        }
    }

    /// The incoming job of the handover under way; of colour only where the record does not name it.
    pub fn incoming(&self) -> Job {
        let unnamed = Job {
            color: self.record.active.color.other(),
            created_for: self.record.epoch,
        };
        self.record.incoming_job().unwrap_or(unnamed)
    }

    /// A fact that could not be learnt of the job of this colour, if it could not.
    pub fn unobserved(&self, color: Color) -> Option<Awaited> {
        match self.observed.job(color) {
            Fact::Unknown(why) => Some(Awaited::Observation {
                color,
                why: why.clone(),
            }),
            Fact::Absent | Fact::Present(_) => None,
        }
    }
}
