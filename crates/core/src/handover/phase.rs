//! Where a handover stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::numbers::{Cut, EventTime};

/// The phase that the record names, with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// No handover is under way: the active job emits everything.
    Stable,
    /// The incoming job comes up and catches up; its gates are closed.
    Standby {
        /// H: the highest timestamp that the outgoing job has emitted, as far as published. Never goes down.
        #[serde(default, skip_serializing_if = "is_none")]
        highest: EventTime,
    },
    /// The outgoing job agrees with itself on the cut.
    Prepare {
        /// H, as it was when STANDBY ended.
        #[serde(default, skip_serializing_if = "is_none")]
        highest: EventTime,
        /// W, once the outgoing coordinator has written it. It is written once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<Cut>,
    },
    /// The point of no return is passed: below the cut the outgoing job emits, from it on the incoming one.
    Commit {
        /// W.
        cut: Cut,
    },
    /// The outgoing job has emitted everything below the cut, and its output is committed.
    Sealed {
        /// W.
        cut: Cut,
    },
    /// The handover was given up before the point of no return.
    Abort,
}

/// For serde: whether there is nothing to be written.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it skips by reference"
)]
fn is_none(highest: &EventTime) -> bool {
    *highest == EventTime::NONE
}

impl Phase {
    /// The name in the record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "STABLE",
            Self::Standby { .. } => "STANDBY",
            Self::Prepare { .. } => "PREPARE",
            Self::Commit { .. } => "COMMIT",
            Self::Sealed { .. } => "SEALED",
            Self::Abort => "ABORT",
        }
    }

    /// H, while it matters.
    pub const fn highest(self) -> EventTime {
        match self {
            Self::Standby { highest } | Self::Prepare { highest, .. } => highest,
            Self::Stable | Self::Commit { .. } | Self::Sealed { .. } | Self::Abort => EventTime::NONE,
        }
    }

    /// W, once it is written.
    pub const fn cut(self) -> Option<Cut> {
        match self {
            Self::Prepare { cut, .. } => cut,
            Self::Commit { cut } | Self::Sealed { cut } => Some(cut),
            Self::Stable | Self::Standby { .. } | Self::Abort => None,
        }
    }

    /// Whether `next` may follow in the same epoch. H never goes down, the cut never changes, COMMIT never goes back.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Stable, Self::Standby { .. }) => true,
            (Self::Standby { highest }, Self::Standby { highest: next }) => highest <= next,
            (Self::Standby { highest }, Self::Prepare { highest: next, cut }) => {
                highest == next && cut.is_none()
            }
            (
                Self::Prepare { highest, cut: None },
                Self::Prepare {
                    highest: same,
                    cut: Some(cut),
                },
            ) => highest == same && cut.is_above(highest),
            (Self::Prepare { cut: Some(cut), .. }, Self::Commit { cut: same }) => cut == same,
            (Self::Standby { .. } | Self::Prepare { .. }, Self::Abort) => true,
            (Self::Commit { cut }, Self::Sealed { cut: same }) => cut == same,
            (Self::Sealed { .. } | Self::Abort, Self::Stable) => true,
            (
                Self::Stable
                | Self::Standby { .. }
                | Self::Prepare { .. }
                | Self::Commit { .. }
                | Self::Sealed { .. }
                | Self::Abort,
                _,
            ) => self == next,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
