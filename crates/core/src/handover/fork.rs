//! Whether what the outgoing job has become still contains what the incoming one was forked from.

use serde::{Deserialize, Serialize};

use super::numbers::{Attempt, CheckpointId};
use super::report::Report;

/// Where the incoming job was forked off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fork {
    /// The savepoint.
    pub checkpoint: CheckpointId,
    /// The attempt of the outgoing job in which it was taken.
    pub attempt: Attempt,
}

/// What the outgoing job's restarts mean for the fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    /// No restart went behind the fork.
    Onward,
    /// A restart restored a checkpoint older than the fork, or nothing: what the incoming job restored may never have been.
    Behind(Attempt),
    /// There were more restarts than the report remembers.
    Unknown,
}

impl Fork {
    /// What the report of the outgoing job says about its restarts since the fork.
    pub fn lineage(self, outgoing: &Report) -> Lineage {
        let mut expected = self.attempt.next();
        for restore in outgoing.restores.iter().filter(|it| it.attempt > self.attempt) {
            if restore.attempt != expected {
                return Lineage::Unknown;
            }
            if restore.checkpoint < Some(self.checkpoint) {
                return Lineage::Behind(restore.attempt);
            }
            expected = expected.next();
        }
        if expected == outgoing.attempt.next() {
            Lineage::Onward
        } else {
            Lineage::Unknown
        }
    }

    /// Whether PREPARE may be written as far as the fork is concerned: the outgoing job has completed a checkpoint newer
    /// than the fork, so that no restart goes behind it any more, and none has.
    pub fn is_settled(self, outgoing: &Report) -> bool {
        outgoing.completed > Some(self.checkpoint) && self.lineage(outgoing) == Lineage::Onward
    }
}
