//! What a coordinator knows: of the record, of itself, of its subtasks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::gate::{AtBarrier, Orders};
use super::numbers::{Attempt, CheckpointId, Epoch, EventTime, Incarnation, Subtask, Version, Watermark};
use super::record::{HandoverRecord, Job};
use super::report::{Figures, GateReport, GatesReport, Passed};

/// What a coordinator of one job knows. One coordinator speaks for all gates of the job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coordinator {
    /// Its job.
    pub job: Job,
    /// Its JobManager's life. Of two, the later one has the larger number.
    pub incarnation: Incarnation,
    /// How far W may lie ahead of the watermark, in milliseconds (`bluegreen.gate.max-cut-lead`).
    #[serde(default = "an_hour")]
    pub max_cut_lead: i64,
    /// What people call its gates, by their numbers: the names of the sinks that they stand before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<u16, String>,
    /// What it is entitled to.
    pub standing: Standing,
    /// The newest record that it has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// The version on which a write that is under way is conditional. Once a newer version was read, that write has had its
    /// effect or will have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<Version>,
    /// The tasks were started, and none of them is there yet. It takes no attempt before, so that a job which finds no slots takes none
    /// each time that it tries.
    #[serde(default, skip_serializing_if = "is_false")]
    pub awaits_tasks: bool,
    /// What it told its subtasks last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Orders>,
    /// It is time to publish.
    #[serde(default, skip_serializing_if = "is_false")]
    pub publish_due: bool,
    /// Records were kept back for too long.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held_too_long: bool,
    /// The last checkpoint that completed in this attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<CheckpointId>,
    /// The checkpoint at whose barrier every gate had passed the cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Passed>,
    /// Its job's subtasks.
    pub subtasks: BTreeMap<Subtask, SubtaskSituation>,
}

/// For serde.
const fn an_hour() -> i64 {
    3_600_000
}

/// For serde.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it skips by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A record with its version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The version.
    pub version: Version,
    /// What it says.
    pub record: HandoverRecord,
}

/// What a coordinator is entitled to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "is",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Standing {
    /// Its tasks have started, and the record does not name this attempt yet. It tells nothing.
    Starting {
        /// The checkpoint that was restored; none if the job started from nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restored: Option<CheckpointId>,
        /// The attempt that it held before. A larger one in the record is somebody else's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Attempt>,
        /// The attempt that it has asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Attempt>,
    },
    /// The record names its attempt.
    Holds {
        /// The attempt.
        attempt: Attempt,
    },
    /// The record names a later attempt, which is another's. It writes and tells nothing more.
    Deposed,
}

/// What a coordinator knows of a subtask in this attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubtaskSituation {
    /// It has come to the end of its input, and emitted no higher timestamp than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Finished>,
    /// What it reported last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<SubtaskReport>,
    /// What it answered to PREPARE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How it stood at the barriers of checkpoints that are not completed yet, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub barriers: Vec<AtBarrier>,
}

/// What is left of a subtask that has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finished {
    /// The highest timestamp that it has emitted.
    #[serde(default)]
    pub highest: EventTime,
    /// The highest timestamp that it has dropped.
    #[serde(default)]
    pub dropped: EventTime,
}

/// An answer to PREPARE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Of which epoch.
    pub epoch: Epoch,
    /// The highest timestamp that the subtask has emitted; it keeps back whatever is higher.
    #[serde(default)]
    pub highest: EventTime,
    /// Its highest watermark.
    #[serde(default)]
    pub watermark: Watermark,
}

/// What a subtask reports every second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubtaskReport {
    /// The epoch of the orders that it reports under.
    pub epoch: Epoch,
    /// The highest timestamp that it has emitted.
    pub highest: EventTime,
    /// The highest timestamp that it has dropped.
    pub dropped: EventTime,
    /// Its highest watermark.
    pub watermark: Watermark,
    /// Its input is idle.
    #[serde(skip_serializing_if = "is_false")]
    pub idle: bool,
    /// What it counted.
    pub figures: Figures,
}

impl SubtaskSituation {
    /// The highest timestamp that it is known to have emitted.
    pub fn highest(&self) -> EventTime {
        let finished = self.finished.map(|it| it.highest);
        let reported = self.report.map(|it| it.highest);
        finished.max(reported).unwrap_or_default()
    }

    /// The highest timestamp that it is known to have dropped.
    fn dropped(&self) -> EventTime {
        let finished = self.finished.map(|it| it.dropped);
        let reported = self.report.map(|it| it.dropped);
        finished.max(reported).unwrap_or_default()
    }

    /// What it answers to the PREPARE of `epoch`, once it has; one that has finished emits nothing more.
    pub fn answer_to(&self, epoch: Epoch) -> Option<EventTime> {
        let answered = self.answer.filter(|it| it.epoch == epoch).map(|it| it.highest);
        answered.or_else(|| self.finished.map(|_| self.highest()))
    }

    /// Its watermark, once it is known; one that has finished is at the end of its input.
    fn watermark(&self) -> Option<Watermark> {
        let finished = self.finished.map(|_| Watermark::END);
        finished.or_else(|| self.report.map(|it| it.watermark))
    }
}

impl Coordinator {
    /// The attempt that it holds.
    pub const fn attempt(&self) -> Option<Attempt> {
        match self.standing {
            Standing::Holds { attempt } => Some(attempt),
            Standing::Starting { .. } | Standing::Deposed => None,
        }
    }

    /// The highest timestamp that the job is known to have emitted in this attempt.
    pub fn highest(&self) -> EventTime {
        self.subtasks
            .values()
            .map(SubtaskSituation::highest)
            .max()
            .unwrap_or_default()
    }

    /// The gates, taken together, and each.
    pub fn gates(&self) -> GatesReport {
        let all = || self.subtasks.values();
        let all_reporting = all().all(|it| it.finished.is_some() || it.report.is_some());
        GatesReport {
            all_reporting,
            heard: all_reporting.then(|| self.heard()).flatten(),
            watermark: lowest_watermark(all()),
            highest_dropped: all().map(SubtaskSituation::dropped).max().unwrap_or_default(),
            figures: sum(all()),
            each: self.each_gate(),
        }
    }

    /// The lowest epoch that a subtask which has not finished reported under; one that has finished drops nothing more.
    fn heard(&self) -> Option<Epoch> {
        let running = self.subtasks.values().filter(|it| it.finished.is_none());
        let lowest = running.filter_map(|it| it.report).map(|it| it.epoch).min();
        lowest.or_else(|| self.seen.as_ref().map(|it| it.record.epoch))
    }

    fn each_gate(&self) -> Vec<GateReport> {
        let is_known =
            |(_, known): &(_, &SubtaskSituation)| known.finished.is_some() || known.report.is_some();
        let known = self.subtasks.iter().filter(is_known);
        let numbers: BTreeSet<u16> = known.map(|(it, _)| it.gate).collect();
        let report = |gate: u16| {
            let subtasks = || self.subtasks.iter().filter(move |(it, _)| it.gate == gate);
            let known = || subtasks().map(|(_, known)| known);
            let mut running = known().filter(|it| it.finished.is_none()).peekable();
            GateReport {
                gate,
                name: self.names.get(&gate).cloned().unwrap_or_default(),
                watermark: lowest_watermark(known()),
                idle: running.peek().is_some() && running.all(|it| it.report.is_some_and(|it| it.idle)),
                figures: sum(known()),
            }
        };
        numbers.into_iter().map(report).collect()
    }
}

fn lowest_watermark<'a>(subtasks: impl Iterator<Item = &'a SubtaskSituation>) -> Watermark {
    subtasks
        .filter_map(SubtaskSituation::watermark)
        .min()
        .unwrap_or_default()
}

fn sum<'a>(subtasks: impl Iterator<Item = &'a SubtaskSituation>) -> Figures {
    let figures = subtasks.filter_map(|it| it.report).map(|it| it.figures);
    figures.fold(Figures::default(), Figures::plus)
}
