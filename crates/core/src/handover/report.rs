//! What the coordinator of a job tells the operator, and the fence that goes with it.

use serde::{Deserialize, Serialize};

use super::numbers::{Attempt, CheckpointId, Epoch, EventTime, Incarnation, Watermark};

/// How many restores a report remembers.
const REMEMBERED_RESTORES: usize = 8;

/// The report of one job's coordinator. Its attempt fences: a coordinator that finds a larger one is deposed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The epoch that the reporting job was created for.
    pub created_for: Epoch,
    /// How often the job has started.
    pub attempt: Attempt,
    /// Which life of the JobManager took this attempt.
    pub incarnation: Incarnation,
    /// What the last attempts restored, the newest last; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restores: Vec<Restore>,
    /// The last checkpoint that the job completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<CheckpointId>,
    /// The checkpoint at whose barrier every gate had passed the cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Passed>,
    /// What the gates said last, taken together.
    #[serde(default)]
    pub gates: GatesReport,
}

/// What one attempt restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// The attempt.
    pub attempt: Attempt,
    /// The checkpoint or savepoint; none if it started from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointId>,
}

/// Proof that nothing below the cut can come any more, but what is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passed {
    /// Whose cut.
    pub epoch: Epoch,
    /// The completed checkpoint.
    pub checkpoint: CheckpointId,
}

/// The gates of a job, taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GatesReport {
    /// Every subtask that has not finished has reported in this attempt.
    pub all_reporting: bool,
    /// Once they all have: the lowest epoch of the orders that they reported under; where all have finished, that of the record. What
    /// is said of dropped records includes all that were dropped under earlier orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<Epoch>,
    /// The lowest watermark of the subtasks that reported; one that has finished is at the end of its input.
    pub watermark: Watermark,
    /// The highest timestamp of a record that was dropped.
    pub highest_dropped: EventTime,
    /// What was counted.
    pub figures: Figures,
    /// Every gate by itself of which something is known, in the order of their numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<GateReport>,
}

/// One gate, its subtasks taken together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateReport {
    /// Its number.
    pub gate: u16,
    /// What people call it: the name of the sink that it stands before. Empty if it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The lowest watermark of its subtasks that reported; one that has finished is at the end of its input.
    #[serde(default)]
    pub watermark: Watermark,
    /// The input of all its subtasks that have not finished is idle, and there are some.
    #[serde(default, skip_serializing_if = "is_false")]
    pub idle: bool,
    /// What was counted.
    #[serde(default)]
    pub figures: Figures,
}

/// For serde.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it skips by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What gates count, in records unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Figures {
    /// Handed on to the sinks.
    pub emitted: u64,
    /// Left to the other job.
    pub dropped: u64,
    /// Kept at present.
    pub kept: u64,
    /// Kept at present, in bytes.
    pub kept_bytes: u64,
    /// Below the cut and behind the watermark.
    pub late: u64,
    /// Without a timestamp.
    pub untimed: u64,
    /// With a timestamp on another clock than the watermark.
    pub off_clock: u64,
}

impl Figures {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            emitted: self.emitted.saturating_add(other.emitted),
            dropped: self.dropped.saturating_add(other.dropped),
            kept: self.kept.saturating_add(other.kept),
            kept_bytes: self.kept_bytes.saturating_add(other.kept_bytes),
            late: self.late.saturating_add(other.late),
            untimed: self.untimed.saturating_add(other.untimed),
            off_clock: self.off_clock.saturating_add(other.off_clock),
        }
    }
}

impl Report {
    /// The report with which a new attempt begins that restored `origin`. What an earlier attempt proved stays true if its checkpoint, or a newer
    /// one, was restored.
    #[must_use]
    pub fn of_new_attempt(
        previous: Option<&Self>,
        created_for: Epoch,
        attempt: Attempt,
        incarnation: Incarnation,
        origin: Option<CheckpointId>,
    ) -> Self {
        let previous = previous.filter(|it| it.created_for == created_for);
        let mut restores = previous.map(|it| it.restores.clone()).unwrap_or_default();
        restores.push(Restore {
            attempt,
            checkpoint: origin,
        });
        let surplus = restores.len().saturating_sub(REMEMBERED_RESTORES);
        restores.drain(..surplus);
        Self {
            created_for,
            attempt,
            incarnation,
            restores,
            // What a forgotten history had completed counts for nothing.
            completed: origin,
            passed: previous
                .and_then(|it| it.passed)
                .filter(|it| origin >= Some(it.checkpoint)),
            gates: GatesReport::default(),
        }
    }
}
