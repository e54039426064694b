//! The handover record: what the operator and both coordinators know together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_api::blue_green::Color;

use super::fork::Fork;
use super::judge::Told;
use super::numbers::{Attempt, Cut, Epoch, EventTime};
use super::phase::Phase;
use super::reason::AbortReason;
use super::report::Report;

/// A job, as the record knows it: its colour, and the epoch that it was created for. The colour alone would not tell a job
/// from a later one in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its colour.
    pub color: Color,
    /// The epoch that it was created for. It stays with it for life.
    pub created_for: Epoch,
}

/// The handover record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandoverRecord {
    /// The transition that the record is about.
    pub epoch: Epoch,
    /// Where it stands.
    #[serde(flatten)]
    pub phase: Phase,
    /// The job that is active, and the outgoing one while a handover is under way. It changes with STABLE after SEALED.
    pub active: Job,
    /// The epoch that the incoming job was created for; its colour is the other one. None where no handover is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Epoch>,
    /// Where the incoming job was forked off; none for a job that waited as a standby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Fork>,
    /// Strategy SAVEPOINT: the path of the savepoint that the active job starts from. It is written together with `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<String>,
    /// Until when the operator waits for what it awaits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Why the phase is ABORT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<AbortReason>,
    /// What the coordinator of the blue job reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blue: Option<Report>,
    /// What the coordinator of the green job reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub green: Option<Report>,
    /// FLIP-504's `is-first-deployment`.
    #[serde(default)]
    pub is_first_deployment: bool,
    /// FLIP-504's `deployment-deletion-delay-ms`: how long the outgoing job stays after the handover, in milliseconds.
    #[serde(default)]
    pub deletion_delay_ms: u64,
}

/// What a coordinator writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "change",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Change {
    /// Its report; with a new attempt it is the fence against every earlier one.
    Report {
        /// All of it.
        report: Report,
    },
    /// Its report, and H. In STANDBY only.
    Publish {
        /// H.
        highest: EventTime,
        /// All of the report.
        report: Report,
    },
    /// W. In PREPARE only, and once.
    Cut {
        /// W.
        cut: Cut,
    },
    /// ABORT. In PREPARE only.
    Abort {
        /// Why.
        reason: AbortReason,
    },
}

impl HandoverRecord {
    /// The incoming job, while there is one.
    pub fn incoming_job(&self) -> Option<Job> {
        self.incoming.map(|created_for| Job {
            color: self.active.color.other(),
            created_for,
        })
    }

    /// What the coordinator of the job of this colour reports.
    pub fn report(&self, color: Color) -> Option<&Report> {
        match color {
            Color::Blue => self.blue.as_ref(),
            Color::Green => self.green.as_ref(),
        }
    }

    /// The attempt that the record names for the job of this colour; 0 if it has none.
    pub fn attempt(&self, color: Color) -> Attempt {
        self.report(color).map(|it| it.attempt).unwrap_or_default()
    }

    /// What the record means for the gates of `job`. The parts of the phase that its role has no use for are left out, so
    /// that a change of them tells the gates nothing new.
    pub fn told(&self, job: Job) -> Told {
        if self.active == job {
            Told::Outgoing(match self.phase {
                Phase::Standby { .. } => Phase::Standby {
                    highest: EventTime::NONE,
                },
                Phase::Prepare { cut, .. } => Phase::Prepare {
                    highest: EventTime::NONE,
                    cut,
                },
                phase @ (Phase::Stable | Phase::Commit { .. } | Phase::Sealed { .. } | Phase::Abort) => phase,
            })
        } else if self.incoming_job() == Some(job) {
            Told::Incoming(match self.phase {
                Phase::Prepare { highest, .. } => Phase::Prepare { highest, cut: None },
                phase @ (Phase::Stable
                | Phase::Standby { .. }
                | Phase::Commit { .. }
                | Phase::Sealed { .. }
                | Phase::Abort) => phase,
            })
        } else if job.created_for > self.epoch {
            // The record has not come to this job yet.
            Told::Nothing
        } else {
            Told::Stranger
        }
    }

    /// The record after what the coordinator of the job of this colour writes. A change that the phase does not allow
    /// leaves the record as it is; a coordinator writes none.
    #[must_use]
    pub fn with(&self, color: Color, change: &Change) -> Self {
        let mut next = self.clone();
        match change {
            Change::Report { report } => next.put_report(color, report.clone()),
            Change::Publish { highest, report } => {
                next.put_report(color, report.clone());
                next.advance(Phase::Standby { highest: *highest });
            }
            Change::Cut { cut } => next.advance(Phase::Prepare {
                highest: self.phase.highest(),
                cut: Some(*cut),
            }),
            Change::Abort { reason } => {
                if matches!(self.phase, Phase::Prepare { .. }) {
                    next.advance(Phase::Abort);
                    next.reason = Some(reason.clone());
                }
            }
        }
        next
    }

    fn advance(&mut self, phase: Phase) {
        if self.phase.may_become(phase) {
            self.phase = phase;
        }
    }

    fn put_report(&mut self, color: Color, report: Report) {
        match color {
            Color::Blue => self.blue = Some(report),
            Color::Green => self.green = Some(report),
        }
    }
}
