//! What the records of both jobs add up to, as far as it is known.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::decision::{Lowered, Promise};
use super::observed::Origin;
use super::view::View;
use crate::handover::{GateReport, Job, Lineage, Phase};

/// What the records of both jobs together are, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Guarantee {
    /// Records may be missing.
    None,
    /// Each record at least once.
    AtLeastOnce,
    /// Each record once, but for late ones.
    ExactlyOnceExceptLate,
    /// Each record once.
    ExactlyOnce,
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "NONE",
            Self::AtLeastOnce => "AT_LEAST_ONCE",
            Self::ExactlyOnceExceptLate => "EXACTLY_ONCE_EXCEPT_LATE",
            Self::ExactlyOnce => "EXACTLY_ONCE",
        })
    }
}

/// What was stated, and what has lowered it since.
pub(super) fn so_far(view: &View<'_>) -> Promise {
    let mut promise = view.observed.stated.clone();
    if matches!(view.record.phase, Phase::Stable | Phase::Abort) {
        return promise;
    }
    promise.lower(Lowered {
        to: Guarantee::ExactlyOnceExceptLate,
        why: "a record that comes after its watermark has passed the cut may be written by both jobs"
            .to_owned(),
    });
    for job in [Some(view.record.active), view.record.incoming_job()]
        .into_iter()
        .flatten()
    {
        for gate in view.report(job).into_iter().flat_map(|it| &it.gates.each) {
            for lowered in of_gate(job, gate) {
                promise.lower(lowered);
            }
        }
    }
    if view.failed_committables() > 0 {
        promise.lower(Lowered {
            to: Guarantee::None,
            why: format!(
                "some of what the sinks of {} had to commit was given up, and its records are lost",
                view.record.active.color
            ),
        });
    }
    if view.is_past_no_return() && view.lineage() != Lineage::Onward && !view.is_assumed_alike() {
        promise.lower(Lowered {
            to: Guarantee::None,
            why: format!(
                "{} was restarted from a checkpoint older than the fork when the handover could not be given up any more",
                view.record.active.color
            ),
        });
    }
    promise
}

/// What a gate has counted that no cut in event time can divide.
fn of_gate(job: Job, gate: &GateReport) -> Vec<Lowered> {
    let color = job.color;
    let name = name(gate);
    let mut lowered = Vec::new();
    if gate.figures.untimed > 0 {
        lowered.push(Lowered {
            to: Guarantee::AtLeastOnce,
            why: format!(
                "records without a timestamp come to {name} of {color}: set bluegreen.gate.watermark.extractor-class, .field-path or \
                 .field-name, or use bluegreen.gate.strategy: SAVEPOINT"
            ),
        });
    }
    if gate.figures.off_clock > 0 {
        lowered.push(Lowered {
            to: Guarantee::AtLeastOnce,
            why: format!(
                "the timestamps of records that come to {name} of {color} are on another clock than its watermark: let \
                 bluegreen.gate.watermark.* name the field that the job's watermarks are made from, in milliseconds"
            ),
        });
    }
    lowered
}

/// What a gate is called in a sentence.
pub(super) fn name(gate: &GateReport) -> String {
    if gate.name.is_empty() {
        format!("gate {}", gate.gate)
    } else {
        format!("the sink {}", gate.name)
    }
}

impl View<'_> {
    /// The user says that the job is deterministic, and H was raised to all that the fork's gates had emitted: then what the active job
    /// writes again after going back behind the fork is what it wrote before, and the incoming one owns none of it.
    pub(super) fn is_assumed_alike(&self) -> bool {
        use super::observed::Goal;
        let Goal::HandOver {
            origin: Origin::Fork {
                highest: Some(highest),
                ..
            },
            ..
        } = &self.observed.goal
        else {
            return false;
        };
        let is_raised = match self.record.phase {
            Phase::Standby { highest: published }
            | Phase::Prepare {
                highest: published, ..
            } => published >= *highest,
            Phase::Commit { cut } | Phase::Sealed { cut } => cut.is_above(*highest),
            Phase::Stable | Phase::Abort => false,
        };
        self.settings.assume_deterministic && is_raised
    }
}
