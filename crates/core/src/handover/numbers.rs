//! The numbers of the protocol, each a type of its own, so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// The number of a transition. It grows with each; what carries an older one has no effect.
    Epoch
}
counter! {
    /// How often a job has started: 1 + the attempt in the record, each time that its tasks are started.
    Attempt
}
counter! {
    /// Flink's id of a checkpoint or savepoint. A later one of the same job is larger.
    CheckpointId
}
counter! {
    /// The version of the record that was read. The shell makes it from the resourceVersion; a later one is larger.
    Version
}
counter! {
    /// Which life of a JobManager took an attempt, so that one whose answer was lost knows its own write again, and one that was
    /// replaced before it ever held an attempt does not take it for its predecessor's. A later life has the larger number: the shell
    /// makes it from the time.
    Incarnation
}

/// The event time of a record, in milliseconds since 1970.
///
/// `i64::MIN` is the absence of a timestamp, and lower than every timestamp. `i64::MAX`, with which Flink stamps results of
/// global windows, is read as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTime(i64);

impl EventTime {
    /// No timestamp; of a highest timestamp: nothing with a timestamp was emitted.
    pub const NONE: Self = Self(i64::MIN);

    /// The event time of a record that Flink stamped with `milliseconds`.
    #[must_use]
    pub const fn of(milliseconds: i64) -> Self {
        if milliseconds == i64::MAX {
            Self::NONE
        } else {
            Self(milliseconds)
        }
    }

    /// Milliseconds since 1970; `None` if there is no timestamp.
    pub const fn milliseconds(self) -> Option<i64> {
        if self.0 == i64::MIN { None } else { Some(self.0) }
    }
}

impl Default for EventTime {
    fn default() -> Self {
        Self::NONE
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.milliseconds().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map_or(Self::NONE, Self::of))
    }
}

/// The cut W, in milliseconds since 1970: records below are the outgoing job's, the others the incoming job's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cut(pub i64);

impl Cut {
    /// The lowest cut above everything up to `highest`.
    #[must_use]
    pub const fn above(highest: EventTime) -> Self {
        // Never saturates: an event time is below i64::MAX.
        Self(highest.0.saturating_add(1))
    }

    /// Whether a record of this event time is below the cut. One without a timestamp always is.
    pub const fn is_above(self, timestamp: EventTime) -> bool {
        timestamp.0 < self.0
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A watermark, in milliseconds since 1970: no record at or below it follows, but late ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watermark(pub i64);

impl Watermark {
    /// No watermark has come yet.
    pub const NONE: Self = Self(i64::MIN);
    /// The input has ended.
    pub const END: Self = Self(i64::MAX);

    /// Whether every record below `cut` that follows is late.
    pub const fn has_reached(self, cut: Cut) -> bool {
        self.0 >= cut.0.saturating_sub(1)
    }

    /// Whether a record of the event time `highest` would not be late.
    pub const fn is_below(self, highest: EventTime) -> bool {
        self.0 < highest.0
    }
}

impl Default for Watermark {
    fn default() -> Self {
        Self::NONE
    }
}

/// One parallel subtask of one gate. A job has a gate before each sink; gates are numbered in the order of their
/// operators' ids. Written `gate/index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subtask {
    /// Which gate of the job.
    pub gate: u16,
    /// Which of the gate's parallel subtasks.
    pub index: SubtaskIndex,
}

/// The index of a parallel subtask, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubtaskIndex(pub u16);

impl Subtask {
    /// The subtask `index` of the gate `gate`.
    pub const fn new(gate: u16, index: u16) -> Self {
        Self {
            gate,
            index: SubtaskIndex(index),
        }
    }
}

impl fmt::Display for Subtask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.gate, self.index.0)
    }
}

impl FromStr for Subtask {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text
            .split_once('/')
            .and_then(|(gate, index)| Some(Self::new(gate.parse().ok()?, index.parse().ok()?)));
        parsed.ok_or_else(|| {
            format!(
                "\"{text}\" names no subtask: expected the gate's and the subtask's number, as in \"0/3\""
            )
        })
    }
}

impl Serialize for Subtask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subtask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
