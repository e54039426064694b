//! What a gate does with one record: the whole rule, in one place.
//!
//! It depends on nothing but the phase that the gate was told, its rules, the highest timestamp that it has emitted, the
//! record's timestamp and the gate's watermark when the record came. So it gives the same answer whenever it is asked again:
//! after a restart, and for records that were kept.

use serde::{Deserialize, Serialize};

use super::numbers::{EventTime, Watermark};
use super::phase::Phase;

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Hand it on to the sink.
    Emit,
    /// Keep it in the gate's state.
    Keep,
    /// Forget it: the other job emits it.
    Drop,
}

/// What a gate has been told by its coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Told {
    /// Nothing yet: the gate has just started.
    #[default]
    Nothing,
    /// Its job is the active one, and hands over if a handover is under way.
    Outgoing(Phase),
    /// Its job takes over.
    Incoming(Phase),
    /// The record is about other jobs: this one was given up, or replaced.
    Stranger,
}

/// When the incoming job begins to emit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ordering {
    /// At COMMIT, while the outgoing job still writes what is below the cut.
    #[default]
    Overlap,
    /// When the outgoing job is sealed.
    Strict,
}

/// What the incoming job does with late records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LateRecords {
    /// Both jobs emit them, so one may be written twice.
    #[default]
    Both,
    /// Only the outgoing job emits them.
    Outgoing,
}

/// What the user chose for the gates (`bluegreen.gate.*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Rules {
    /// `bluegreen.gate.ordering`.
    pub ordering: Ordering,
    /// `bluegreen.gate.late-records`.
    pub late_records: LateRecords,
}

/// What to do with a record of the event time `timestamp` that came when the gate's watermark was `arrival`.
///
/// `emitted` is the highest timestamp that this gate has emitted. W and H are in the phase that was told. A record without
/// a timestamp is judged as lower than every timestamp.
#[inline]
pub fn judge(
    rules: Rules,
    told: Told,
    emitted: EventTime,
    arrival: Watermark,
    timestamp: EventTime,
) -> Verdict {
    match told {
        Told::Nothing => Verdict::Keep,
        Told::Outgoing(phase) => outgoing(phase, emitted, timestamp),
        Told::Incoming(phase) => incoming(rules, phase, arrival, timestamp),
        Told::Stranger => Verdict::Drop,
    }
}

/// The rule of the job that is active when the handover begins.
#[inline]
fn outgoing(phase: Phase, emitted: EventTime, timestamp: EventTime) -> Verdict {
    match phase {
        Phase::Stable | Phase::Standby { .. } | Phase::Abort => Verdict::Emit,
        // The answer was `emitted`; what is not above it cannot be above the cut.
        Phase::Prepare { cut: None, .. } if timestamp <= emitted => Verdict::Emit,
        Phase::Prepare { cut: None, .. } => Verdict::Keep,
        // Until COMMIT there may still be an ABORT, after which all of it is this job's.
        Phase::Prepare { cut: Some(cut), .. } if cut.is_above(timestamp) => Verdict::Emit,
        Phase::Prepare { cut: Some(_), .. } => Verdict::Keep,
        Phase::Commit { cut } if cut.is_above(timestamp) => Verdict::Emit,
        Phase::Commit { .. } => Verdict::Drop,
        // A standby that waits to be handed back to, or to go.
        Phase::Sealed { .. } => Verdict::Drop,
    }
}

/// The rule of the job that takes over.
#[inline]
fn incoming(rules: Rules, phase: Phase, arrival: Watermark, timestamp: EventTime) -> Verdict {
    match phase {
        Phase::Standby { highest } | Phase::Prepare { highest, .. } => {
            // A record that came later than H is late, and the outgoing job may never see it. It is kept.
            if timestamp <= highest && arrival.is_below(highest) {
                Verdict::Drop
            } else {
                Verdict::Keep
            }
        }
        Phase::Commit { cut } | Phase::Sealed { cut } => {
            let late = cut.is_above(timestamp);
            let mine = !late || (rules.late_records == LateRecords::Both && arrival.has_reached(cut));
            let open = rules.ordering == Ordering::Overlap || matches!(phase, Phase::Sealed { .. });
            match (mine, open) {
                (false, _) => Verdict::Drop,
                (true, false) => Verdict::Keep,
                (true, true) => Verdict::Emit,
            }
        }
        // There is no incoming job in STABLE: what still runs was given up.
        Phase::Stable | Phase::Abort => Verdict::Drop,
    }
}
