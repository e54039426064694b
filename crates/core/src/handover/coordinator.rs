//! The coordinator of a job, as a machine: a situation and a message give a new situation, and what is to be done.
//!
//! It does not matter to it which message woke it: each only changes what it knows, and what is to be done follows from
//! that. So messages that come twice, late or never do no harm. What the outgoing job's coordinator wants to write is in
//! [`super::outgoing`], what the incoming one's does in [`super::incoming`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::gate::{AtBarrier, Orders};
use super::judge::Told;
use super::numbers::{Attempt, CheckpointId, Epoch, EventTime, Incarnation, Subtask, Version, Watermark};
use super::phase::Phase;
use super::record::{Change, HandoverRecord, Job};
use super::report::{Passed, Report};
use super::situation::{Answer, Coordinator, Finished, Seen, Standing, SubtaskReport, SubtaskSituation};
use super::{incoming, outgoing};

/// How many checkpoints a coordinator follows at once; Flink runs one at a time unless configured otherwise.
const FOLLOWED_CHECKPOINTS: usize = 8;

/// What comes to a coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "message",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum CoordinatorMessage {
    /// The job's tasks were started, all or some of them: a new attempt.
    Started {
        /// The checkpoint that was restored; none if the job started from nothing.
        #[serde(default)]
        restored: Option<CheckpointId>,
        /// All subtasks of all gates, those that had finished before with what they had emitted.
        subtasks: BTreeMap<Subtask, Option<Finished>>,
    },
    /// The record was read, or was written: as it is in that version.
    Read {
        /// Its version.
        version: Version,
        /// What it says.
        record: Box<HandoverRecord>,
    },
    /// A write was refused, or nothing is known of it. The shell waits a moment before it says so.
    WriteFailed,
    /// A subtask is ready to be told.
    Ready {
        /// The subtask.
        subtask: Subtask,
    },
    /// A subtask answers PREPARE.
    Answered {
        /// The subtask.
        subtask: Subtask,
        /// Of which epoch.
        epoch: Epoch,
        /// In which attempt.
        attempt: Attempt,
        /// The highest timestamp that it has emitted.
        #[serde(default)]
        highest: EventTime,
        /// Its highest watermark.
        #[serde(default)]
        watermark: Watermark,
    },
    /// A subtask reports, as it does every second.
    Reported {
        /// The subtask.
        subtask: Subtask,
        /// In which attempt.
        attempt: Attempt,
        /// What it says.
        report: SubtaskReport,
    },
    /// How a subtask stood at the barrier of a checkpoint.
    AtBarrier {
        /// The subtask.
        subtask: Subtask,
        /// How it stood.
        barrier: AtBarrier,
    },
    /// A subtask has come to the end of its input.
    Finished {
        /// The subtask.
        subtask: Subtask,
        /// In which attempt.
        attempt: Attempt,
        /// The highest timestamp that it has emitted.
        #[serde(default)]
        highest: EventTime,
        /// The highest timestamp that it has dropped.
        #[serde(default)]
        dropped: EventTime,
    },
    /// A checkpoint has completed.
    Completed {
        /// The checkpoint.
        checkpoint: CheckpointId,
    },
    /// It is time to publish: every second while a handover is under way.
    PublishDue,
    /// The gates have kept records back for `bluegreen.gate.hold-timeout`.
    HoldTimeout,
}

/// What a coordinator does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum CoordinatorAction {
    /// Writes to the record, on the condition that it is still the version `expected`.
    Write {
        /// The version that was read.
        expected: Version,
        /// What is written.
        change: Box<Change>,
    },
    /// Tells the phase.
    Tell {
        /// One subtask; all of them if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subtask: Option<Subtask>,
        /// What they are told.
        orders: Orders,
    },
}

impl Coordinator {
    /// A coordinator in a JobManager that has just come up. The job's tasks have not been started. `names` is what people call its gates.
    #[must_use]
    pub fn new(job: Job, incarnation: Incarnation, max_cut_lead: i64, names: BTreeMap<u16, String>) -> Self {
        Self {
            job,
            incarnation,
            max_cut_lead,
            names,
            standing: Standing::Starting {
                restored: None,
                held: None,
                asked: None,
            },
            seen: None,
            writing: None,
            awaits_tasks: false,
            told: None,
            publish_due: false,
            held_too_long: false,
            completed: None,
            passed: None,
            subtasks: BTreeMap::new(),
        }
    }

    /// The new situation, and what is to be done.
    #[must_use]
    pub fn on(mut self, message: CoordinatorMessage) -> (Self, Vec<CoordinatorAction>) {
        let mut actions = Vec::new();
        if let CoordinatorMessage::Ready { subtask } = message {
            self.awaits_tasks = false;
            actions.extend(self.told.map(|orders| CoordinatorAction::Tell {
                subtask: Some(subtask),
                orders,
            }));
        } else {
            self.learn(message);
        }
        if self.standing == Standing::Deposed {
            return (self, Vec::new());
        }
        actions.extend(self.tell());
        actions.extend(self.write());
        (self, actions)
    }

    fn learn(&mut self, message: CoordinatorMessage) {
        match message {
            CoordinatorMessage::Started { restored, subtasks } => self.start(restored, subtasks),
            CoordinatorMessage::Read { version, record } => self.read(version, *record),
            CoordinatorMessage::WriteFailed => self.writing = None,
            CoordinatorMessage::Ready { .. } => {}
            CoordinatorMessage::Answered {
                subtask,
                epoch,
                attempt,
                highest,
                watermark,
            } => {
                if let Some(known) = self.subtask(subtask, attempt) {
                    known.answer = Some(Answer {
                        epoch,
                        highest,
                        watermark,
                    });
                }
            }
            CoordinatorMessage::Reported {
                subtask,
                attempt,
                report,
            } => {
                if let Some(known) = self.subtask(subtask, attempt) {
                    known.report = Some(report);
                }
            }
            CoordinatorMessage::AtBarrier { subtask, barrier } => {
                if let Some(known) = self.subtask(subtask, barrier.attempt) {
                    known.barriers.retain(|it| it.checkpoint != barrier.checkpoint);
                    known.barriers.push(barrier);
                    let surplus = known.barriers.len().saturating_sub(FOLLOWED_CHECKPOINTS);
                    known.barriers.drain(..surplus);
                }
            }
            CoordinatorMessage::Finished {
                subtask,
                attempt,
                highest,
                dropped,
            } => {
                if let Some(known) = self.subtask(subtask, attempt) {
                    known.finished = Some(Finished { highest, dropped });
                }
            }
            CoordinatorMessage::Completed { checkpoint } => self.complete(checkpoint),
            CoordinatorMessage::PublishDue => self.publish_due = true,
            CoordinatorMessage::HoldTimeout => self.held_too_long = self.is_preparing(),
        }
    }

    /// The subtask, if what is said of it belongs to the attempt that this coordinator holds.
    fn subtask(&mut self, subtask: Subtask, attempt: Attempt) -> Option<&mut SubtaskSituation> {
        if self.attempt() == Some(attempt) {
            self.subtasks.get_mut(&subtask)
        } else {
            None
        }
    }

    /// Whatever was known of the subtasks is void.
    fn start(&mut self, restored: Option<CheckpointId>, subtasks: BTreeMap<Subtask, Option<Finished>>) {
        let held = match self.standing {
            Standing::Holds { attempt } => Some(attempt),
            // What it only asked for says nothing of who came later: a late write of its dead predecessor may take that.
            Standing::Starting { held, .. } => held,
            Standing::Deposed => return,
        };
        self.standing = Standing::Starting {
            restored,
            held,
            asked: None,
        };
        self.subtasks = subtasks
            .into_iter()
            .map(|(subtask, finished)| {
                let situation = SubtaskSituation {
                    finished,
                    ..SubtaskSituation::default()
                };
                (subtask, situation)
            })
            .collect();
        self.awaits_tasks = self.subtasks.values().any(|it| it.finished.is_none());
        self.told = None;
        self.completed = None;
        self.passed = None;
        self.held_too_long = false;
    }

    /// What is older than what was read has no effect.
    fn read(&mut self, version: Version, record: HandoverRecord) {
        let is_old = |seen: &Seen| version <= seen.version || record.epoch < seen.record.epoch;
        if self.seen.as_ref().is_some_and(is_old) {
            return;
        }
        if self.writing.is_some_and(|expected| expected < version) {
            self.writing = None;
        }
        if let Some(report) = record.report(self.job.color) {
            self.recognise(report);
        }
        if self.attempt().is_some() {
            let mine = record.report(self.job.color).and_then(|it| it.passed);
            self.passed = self.passed.or(mine).filter(|it| it.epoch == record.epoch);
        }
        self.seen = Some(Seen { version, record });
        self.held_too_long = self.held_too_long && self.is_preparing();
    }

    fn is_preparing(&self) -> bool {
        self.seen
            .as_ref()
            .is_some_and(|it| matches!(it.record.phase, Phase::Prepare { .. }))
    }

    /// Whose attempt the record names.
    fn recognise(&mut self, report: &Report) {
        if report.created_for != self.job.created_for {
            return;
        }
        let is_mine = report.incarnation == self.incarnation;
        match self.standing {
            Standing::Holds { attempt } if report.attempt > attempt => self.standing = Standing::Deposed,
            Standing::Starting { asked, .. } if is_mine && asked == Some(report.attempt) => {
                self.standing = Standing::Holds {
                    attempt: report.attempt,
                };
            }
            Standing::Starting { .. } if report.incarnation > self.incarnation => {
                self.standing = Standing::Deposed;
            }
            Standing::Starting { held: Some(held), .. } if !is_mine && report.attempt > held => {
                self.standing = Standing::Deposed;
            }
            Standing::Holds { .. } | Standing::Starting { .. } | Standing::Deposed => {}
        }
    }

    /// A checkpoint has completed: whether every subtask had passed the cut is judged by how it stood at the barrier, not by
    /// how it stands now.
    fn complete(&mut self, checkpoint: CheckpointId) {
        if self.attempt().is_none() {
            return;
        }
        self.completed = self.completed.max(Some(checkpoint));
        let epoch = self.seen.as_ref().map(|it| it.record.epoch);
        let cut = self.seen.as_ref().and_then(|it| it.record.phase.cut());
        if let (Some(epoch), Some(cut), None) = (epoch, cut, self.passed) {
            let passed = |known: &SubtaskSituation| {
                // One that has finished since its barrier emitted what is not in this checkpoint.
                let barrier = known.barriers.iter().find(|it| it.checkpoint == checkpoint);
                barrier.map_or(known.finished.is_some(), |it| {
                    it.watermark.has_reached(cut)
                        && !it.lowest_kept.is_some_and(|lowest| cut.is_above(lowest))
                })
            };
            if self.subtasks.values().all(passed) {
                self.passed = Some(Passed { epoch, checkpoint });
            }
        }
        for known in self.subtasks.values_mut() {
            known.barriers.retain(|it| it.checkpoint > checkpoint);
        }
    }

    /// What the subtasks have to be told that they have not been.
    fn tell(&mut self) -> Option<CoordinatorAction> {
        let record = &self.seen.as_ref()?.record;
        let told = record.told(self.job);
        let attempt = match (told, self.standing) {
            // Without an attempt in the record nothing proves that it was current; being closed needs no proof.
            (Told::Stranger, Standing::Starting { held, .. }) => held.unwrap_or_default(),
            (_, Standing::Holds { attempt }) => attempt,
            (_, Standing::Starting { .. } | Standing::Deposed) => return None,
        };
        let orders = Orders {
            epoch: record.epoch,
            attempt,
            told,
        };
        if told == Told::Nothing || self.told == Some(orders) {
            return None;
        }
        self.told = Some(orders);
        Some(CoordinatorAction::Tell {
            subtask: None,
            orders,
        })
    }

    /// What it wants to write, one write at a time.
    fn write(&mut self) -> Option<CoordinatorAction> {
        if self.writing.is_some() {
            return None;
        }
        let expected = self.seen.as_ref()?.version;
        let change = self.wish()?;
        self.writing = Some(expected);
        Some(CoordinatorAction::Write {
            expected,
            change: Box::new(change),
        })
    }

    fn wish(&mut self) -> Option<Change> {
        let record = &self.seen.as_ref()?.record;
        let told = record.told(self.job);
        match (told, self.standing) {
            (Told::Nothing | Told::Stranger, _) | (_, Standing::Deposed) => None,
            (_, Standing::Starting { .. }) => self.take_attempt(),
            (Told::Outgoing(_), Standing::Holds { .. }) => {
                let wish = outgoing::wish(self);
                self.publish_due = false;
                wish
            }
            (Told::Incoming(_), Standing::Holds { .. }) => {
                let wish = incoming::wish(self);
                self.publish_due = false;
                wish
            }
        }
    }

    /// The write that makes every write of an earlier attempt fail. A job of whose tasks none is there takes none.
    fn take_attempt(&mut self) -> Option<Change> {
        let Standing::Starting {
            restored,
            held,
            asked,
        } = &mut self.standing
        else {
            return None;
        };
        if self.subtasks.is_empty() || self.awaits_tasks {
            return None;
        }
        let record = &self.seen.as_ref()?.record;
        let attempt = record
            .attempt(self.job.color)
            .max(held.unwrap_or_default())
            .next();
        *asked = Some(attempt);
        let report = Report::of_new_attempt(
            record.report(self.job.color),
            self.job.created_for,
            attempt,
            self.incarnation,
            *restored,
        );
        Some(Change::Report { report })
    }

    /// Its report as it should stand in the record; none if it stands there.
    pub(super) fn new_report(&self, record: &HandoverRecord) -> Option<Report> {
        let written = record.report(self.job.color)?;
        let report = Report {
            completed: written.completed.max(self.completed),
            passed: self.passed,
            gates: self.gates(),
            ..written.clone()
        };
        (report != *written).then_some(report)
    }
}
