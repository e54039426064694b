//! One subtask of a gate: what it keeps, and what it does when something comes.

use serde::{Deserialize, Serialize};

use super::judge::{Rules, Told, Verdict, judge};
use super::numbers::{Attempt, CheckpointId, Epoch, EventTime, Watermark};
use super::phase::Phase;

/// A record that a gate keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept<R> {
    /// The record.
    pub record: R,
    /// Its event time.
    #[serde(default)]
    pub timestamp: EventTime,
    /// The gate's watermark when it came.
    #[serde(default)]
    pub arrival: Watermark,
}

/// What stands in a checkpoint of a gate's subtask. The phase is not part of it: the handover record is the authority.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateState<R> {
    /// In the order in which they came.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept<R>>,
    /// The highest timestamp that was emitted.
    #[serde(default)]
    pub emitted: EventTime,
    /// The highest timestamp that was dropped since the job was the active one.
    #[serde(default)]
    pub dropped: EventTime,
    /// The highest watermark that came.
    #[serde(default)]
    pub watermark: Watermark,
}

impl<R> Default for GateState<R> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            emitted: EventTime::NONE,
            dropped: EventTime::NONE,
            watermark: Watermark::NONE,
        }
    }
}

impl<R: Clone> GateState<R> {
    /// The state of `parallelism` subtasks, from that of all subtasks in the checkpoint: unchanged where the parallelism is;
    /// otherwise the kept records are dealt out in turn, with the highest timestamps of all and the lowest watermark.
    #[must_use]
    pub fn restore(checkpoint: &[Self], parallelism: usize) -> Vec<Self> {
        if checkpoint.len() == parallelism {
            return checkpoint.to_vec();
        }
        let common = Self {
            kept: Vec::new(),
            emitted: checkpoint.iter().map(|it| it.emitted).max().unwrap_or_default(),
            dropped: checkpoint.iter().map(|it| it.dropped).max().unwrap_or_default(),
            watermark: checkpoint.iter().map(|it| it.watermark).min().unwrap_or_default(),
        };
        let mut states = vec![common; parallelism];
        for (place, kept) in checkpoint.iter().flat_map(|it| it.kept.iter()).enumerate() {
            if let Some(state) = place
                .checked_rem(parallelism)
                .and_then(|index| states.get_mut(index))
            {
                state.kept.push(kept.clone());
            }
        }
        states
    }
}

/// What the coordinator tells a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    /// The epoch of the record.
    pub epoch: Epoch,
    /// The attempt of the coordinator's job.
    pub attempt: Attempt,
    /// What the record means for this job.
    pub told: Told,
}

/// What comes to a subtask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "message",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum GateMessage<R> {
    /// The coordinator tells the phase.
    Told {
        /// What it tells.
        orders: Orders,
    },
    /// A record.
    Record {
        /// The record.
        record: R,
        /// Its event time.
        #[serde(default)]
        timestamp: EventTime,
    },
    /// A watermark; the end of the input brings [`Watermark::END`].
    Watermark {
        /// The watermark.
        watermark: Watermark,
    },
    /// The barrier of a checkpoint. The gate's state as it is now becomes part of it.
    Barrier {
        /// The checkpoint.
        checkpoint: CheckpointId,
    },
}

/// What a subtask does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum GateAction<R> {
    /// Hands a record on to the sink.
    Emit {
        /// The record.
        record: R,
    },
    /// Forgets a record.
    Drop {
        /// The record.
        record: R,
    },
    /// Answers PREPARE.
    Answer {
        /// The epoch of the PREPARE.
        epoch: Epoch,
        /// The attempt of the PREPARE.
        attempt: Attempt,
        /// The highest timestamp that it has emitted, from now on until the cut is known.
        #[serde(default)]
        highest: EventTime,
        /// The gate's highest watermark.
        #[serde(default)]
        watermark: Watermark,
    },
    /// Tells the coordinator how it stood at the barrier.
    AtBarrier {
        /// How it stood.
        barrier: AtBarrier,
    },
}

/// How a subtask stood at the barrier of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AtBarrier {
    /// The attempt that the subtask was told.
    pub attempt: Attempt,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The gate's highest watermark.
    pub watermark: Watermark,
    /// The lowest timestamp that it keeps; absent if it keeps nothing, null if it keeps a record without a timestamp.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub lowest_kept: Option<EventTime>,
}

/// For serde: `null` is a record without a timestamp; only what is absent is nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<EventTime>, D::Error> {
    EventTime::deserialize(deserializer).map(Some)
}

/// A subtask of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate<R> {
    /// What the user chose.
    #[serde(default)]
    pub rules: Rules,
    /// What it was told last; nothing since it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Orders>,
    /// What its next checkpoint holds.
    #[serde(flatten, bound = "R: Serialize + for<'a> Deserialize<'a>")]
    pub state: GateState<R>,
}

impl<R: Clone> Gate<R> {
    /// A subtask that starts, from what it restores. It holds everything until it is told the phase.
    #[must_use]
    pub fn start(rules: Rules, state: GateState<R>) -> Self {
        Self {
            rules,
            orders: None,
            state,
        }
    }

    /// What it does about what comes.
    #[inline]
    pub fn on(&mut self, message: GateMessage<R>) -> Vec<GateAction<R>> {
        match message {
            GateMessage::Told { orders } => self.obey(orders),
            GateMessage::Record { record, timestamp } => {
                let arrival = self.state.watermark;
                self.settle(Kept {
                    record,
                    timestamp,
                    arrival,
                })
                .into_iter()
                .collect()
            }
            GateMessage::Watermark { watermark } => {
                self.state.watermark = self.state.watermark.max(watermark);
                Vec::new()
            }
            GateMessage::Barrier { checkpoint } => self.at_barrier(checkpoint).into_iter().collect(),
        }
    }

    /// What it was told last.
    #[inline]
    pub fn told(&self) -> Told {
        self.orders.map(|it| it.told).unwrap_or_default()
    }

    /// What is done with a record now, and what is remembered of it.
    #[inline]
    fn settle(&mut self, kept: Kept<R>) -> Option<GateAction<R>> {
        let verdict = judge(
            self.rules,
            self.told(),
            self.state.emitted,
            kept.arrival,
            kept.timestamp,
        );
        match verdict {
            Verdict::Emit => {
                self.state.emitted = self.state.emitted.max(kept.timestamp);
                Some(GateAction::Emit { record: kept.record })
            }
            Verdict::Drop => {
                self.state.dropped = self.state.dropped.max(kept.timestamp);
                Some(GateAction::Drop { record: kept.record })
            }
            Verdict::Keep => {
                self.state.kept.push(kept);
                None
            }
        }
    }

    /// What is older than what it was told has no effect.
    #[inline]
    fn obey(&mut self, orders: Orders) -> Vec<GateAction<R>> {
        let is_older = |last: &Orders| (orders.attempt, orders.epoch) < (last.attempt, last.epoch);
        if self.orders.as_ref().is_some_and(is_older) {
            return Vec::new();
        }
        let was = self.orders.replace(orders);
        // A job that writes all it gets leaves nothing to another. What it left before was written in an earlier epoch.
        if matches!(
            orders.told,
            Told::Outgoing(Phase::Stable | Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Abort)
        ) {
            self.state.dropped = EventTime::NONE;
        }
        let mut actions = Vec::new();
        for kept in std::mem::take(&mut self.state.kept) {
            actions.extend(self.settle(kept));
        }
        let asks = matches!(orders.told, Told::Outgoing(Phase::Prepare { cut: None, .. }));
        if asks && was != Some(orders) {
            actions.push(GateAction::Answer {
                epoch: orders.epoch,
                attempt: orders.attempt,
                highest: self.state.emitted,
                watermark: self.state.watermark,
            });
        }
        actions
    }

    /// A subtask that has not been told its attempt has nothing to say that could be attributed.
    #[inline]
    fn at_barrier(&self, checkpoint: CheckpointId) -> Option<GateAction<R>> {
        let orders = self.orders?;
        Some(GateAction::AtBarrier {
            barrier: AtBarrier {
                attempt: orders.attempt,
                checkpoint,
                watermark: self.state.watermark,
                lowest_kept: self.state.kept.iter().map(|it| it.timestamp).min(),
            },
        })
    }
}
