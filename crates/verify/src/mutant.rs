//! One thing done wrong at a time.

use sluice_core::handover::{AtBarrier, Change, Coordinator, Cut, EventTime, Orders, Phase, Told, Watermark};

/// What is done wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// W = H instead of H + 1.
    CutAtHighest,
    /// W from the answers alone, without the published H.
    CutFromAnswersOnly,
    /// A restarted subtask passes everything until it is told otherwise.
    RestartStartsOpen,
    /// COMMIT is written whatever the record says by now.
    CommitWithoutVersion,
    /// The first subtask that has passed the cut speaks for all.
    FirstDrainedSpeaksForAll,
    /// A subtask whose input is silent counts as drained.
    IdleIsDrained,
    /// Drained is believed before the checkpoint has completed.
    DrainedWithoutCheckpoint,
    /// The outgoing job is deleted while its last checkpoint's output is not committed.
    DeletedBeforeCommit,
    /// The incoming job drops what it has no H for.
    IncomingDropsTooEarly,
    /// After ABORT the outgoing job stays closed.
    ClosedAfterAbort,
    /// SEALED opens the incoming job for everything.
    SealedPassesEverything,
    /// PREPARE though the outgoing job may go back behind the fork.
    PrepareWithoutSettledFork,
    /// What was kept is not part of a checkpoint.
    KeptIsNotCheckpointed,
    /// A gate's watermark is not part of a checkpoint.
    WatermarkIsNotCheckpointed,
    /// ABORT after COMMIT.
    AbortAfterCommit,
    /// A new JobManager tells what it reads first, without having taken its attempt.
    TellsWithoutAttempt,
    /// A fork does not inherit what the gates keep.
    ForkForgetsKept,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::CutAtHighest,
        Self::CutFromAnswersOnly,
        Self::RestartStartsOpen,
        Self::CommitWithoutVersion,
        Self::FirstDrainedSpeaksForAll,
        Self::IdleIsDrained,
        Self::DrainedWithoutCheckpoint,
        Self::DeletedBeforeCommit,
        Self::IncomingDropsTooEarly,
        Self::ClosedAfterAbort,
        Self::SealedPassesEverything,
        Self::PrepareWithoutSettledFork,
        Self::KeptIsNotCheckpointed,
        Self::WatermarkIsNotCheckpointed,
        Self::AbortAfterCommit,
        Self::TellsWithoutAttempt,
        Self::ForkForgetsKept,
    ];

    /// What a coordinator writes instead.
    pub fn write(self, coordinator: &Coordinator, change: Change) -> Change {
        let Change::Cut { cut } = change else {
            return change;
        };
        match self {
            Self::CutAtHighest => Change::Cut {
                cut: Cut(cut.0.saturating_sub(1)),
            },
            Self::CutFromAnswersOnly => {
                let answers = coordinator.subtasks.values().filter_map(|it| it.answer);
                let highest = answers.map(|it| it.highest).max().unwrap_or_default();
                Change::Cut {
                    cut: Cut::above(highest),
                }
            }
            _ => Change::Cut { cut },
        }
    }

    /// What a gate is told instead.
    pub fn tell(self, orders: Orders) -> Orders {
        let told = match (self, orders.told) {
            (Self::IncomingDropsTooEarly, Told::Incoming(Phase::Standby { .. })) => {
                Told::Incoming(Phase::Standby {
                    highest: EventTime::of(i64::MAX - 1),
                })
            }
            (Self::ClosedAfterAbort, Told::Outgoing(Phase::Abort)) => Told::Stranger,
            (Self::SealedPassesEverything, Told::Incoming(Phase::Sealed { .. })) => {
                Told::Outgoing(Phase::Stable)
            }
            (_, told) => told,
        };
        Orders { told, ..orders }
    }

    /// What is said of the barriers instead. `silent` are the subtasks to which nothing has come.
    pub fn barriers(self, cut: Option<Cut>, barriers: &mut [AtBarrier], silent: &[bool]) {
        let drained = |it: &AtBarrier| cut.is_some_and(|cut| it.watermark.has_reached(cut));
        match self {
            Self::FirstDrainedSpeaksForAll if barriers.iter().any(drained) => {
                for barrier in barriers {
                    barrier.watermark = Watermark::END;
                    barrier.lowest_kept = None;
                }
            }
            Self::IdleIsDrained => {
                for (barrier, silent) in barriers.iter_mut().zip(silent) {
                    if *silent {
                        barrier.watermark = Watermark::END;
                        barrier.lowest_kept = None;
                    }
                }
            }
            _ => {}
        }
    }
}
