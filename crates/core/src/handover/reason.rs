//! Why a handover was given up.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::numbers::{Attempt, EventTime, Subtask, Watermark};

/// Why a handover was given up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum AbortReason {
    /// The outgoing job kept records back for longer than `bluegreen.gate.hold-timeout`.
    HoldTimeout,
    /// The cut would lie further ahead of the watermark than `bluegreen.gate.max-cut-lead`.
    CutTooFar {
        /// The subtask that emitted the highest timestamp; none if that was in an earlier attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subtask: Option<Subtask>,
        /// That timestamp.
        highest: EventTime,
        /// The watermark of the outgoing job's gates.
        watermark: Watermark,
    },
    /// The outgoing job has emitted records with timestamps, and no gate has seen a watermark: it would never drain.
    NoWatermark,
    /// No input of the outgoing job moves, so the cut might never be reached. Strategy SAVEPOINT takes over; its pause costs nothing.
    Idle,
    /// The outgoing job has restarted from a checkpoint older than the fork, or more often than its report remembers. A new fork is needed.
    BehindFork {
        /// The attempt that did; none if it is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<Attempt>,
    },
    /// The outgoing job is lost for good. The incoming one must not be opened: it dropped what the outgoing one may not have written.
    OutgoingLost,
    /// The operator gave it up.
    Operator {
        /// In a sentence.
        why: String,
    },
}

impl fmt::Display for AbortReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HoldTimeout => f.write_str(
                "the active job kept records back for longer than bluegreen.gate.hold-timeout, and writes them now",
            ),
            Self::CutTooFar {
                subtask,
                highest,
                watermark,
            } => {
                let highest = highest.milliseconds().unwrap_or(i64::MIN);
                match subtask {
                    Some(subtask) => write!(f, "subtask {subtask} of the active job's gates")?,
                    None => f.write_str("an earlier attempt of the active job")?,
                }
                write!(
                    f,
                    " wrote a record of the time {highest}, which is further ahead of the watermark {} than bluegreen.gate.max-cut-lead \
                     allows: set a timestamp extractor that gives the records' own time, or raise that limit",
                    watermark.0
                )
            }
            Self::NoWatermark => f.write_str(
                "the active job writes records with timestamps and its gates see no watermark: the job needs a watermark strategy, or \
                 bluegreen.gate.strategy: SAVEPOINT",
            ),
            Self::Idle => {
                f.write_str("no input moves, so the cut might never be reached: strategy SAVEPOINT takes over")
            }
            Self::BehindFork { attempt } => {
                match attempt {
                    Some(attempt) => write!(f, "attempt {attempt} of the active job restored")?,
                    None => f.write_str("the active job may have restored")?,
                }
                f.write_str(" a checkpoint older than the savepoint that the new job started from: it starts over from a new one")
            }
            Self::OutgoingLost => f.write_str(
                "the active job is lost: the new version starts afresh from the last checkpoint that the active job completed",
            ),
            Self::Operator { why } => f.write_str(why),
        }
    }
}
