//! A model of the Flink cluster of one child: its job, its savepoints by trigger id, its checkpoints.

use std::collections::BTreeMap;

/// What one state of a job holds: which transitions' jobs have worked on it, first of all the one that began from nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage(pub Vec<u64>);

/// How a version of the user's program behaves; told by its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// It comes up.
    Works,
    /// Its job fails before it ran.
    Broken,
    /// It never gets further than being started.
    Stuck,
    /// Its job runs and completes checkpoints, but it never becomes stable.
    Unstable,
}

impl Version {
    /// Reads it from the image.
    pub fn of(image: &str) -> Self {
        for (word, version) in [
            ("broken", Self::Broken),
            ("stuck", Self::Stuck),
            ("unstable", Self::Unstable),
        ] {
            if image.contains(word) {
                return version;
            }
        }
        Self::Works
    }
}

/// One request for a savepoint, as the JobManager remembers it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it goes.
    pub directory: String,
    /// Ticks until it is done; `None`: never.
    pub left: Option<u32>,
    /// What went wrong.
    pub failure: Option<String>,
    /// Where it is, once complete.
    pub location: Option<String>,
    /// Its number among the job's checkpoints.
    pub checkpoint: Option<u64>,
}

/// What the savepoints asked for from now on do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SavepointBehaviour {
    /// They complete after this many ticks.
    #[default]
    Work,
    /// So many fail, those after them work.
    Fail(u32),
    /// They never end.
    Hang,
    /// The request itself is refused.
    Refused,
    /// They complete without a location.
    WithoutLocation,
}

/// The cluster of one child.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// How many ticks since it was started; `None`: it is stopped.
    pub age: Option<u32>,
    /// The job's id.
    pub job_id: String,
    /// What its state is made of.
    pub lineage: Lineage,
    /// What it was started from.
    pub started_from: Option<String>,
    /// The number of the checkpoint that it was started from.
    pub restored: u64,
    /// The last completed checkpoint.
    pub checkpoint: Option<(u64, String)>,
    /// Requests by trigger id; a restart of the JobManager forgets them.
    pub requests: BTreeMap<String, Request>,
    /// Whether its job waits, before it is submitted, until the handover record names it.
    pub held: bool,
    /// Whether its job was stopped for good, and drained.
    pub drained: bool,
    /// Whether its job has failed by somebody's hand.
    pub failed_by_hand: bool,
}
