//! All that a decision about a `FlinkBlueGreenDeployment` may depend on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment};
use sluice_api::{FlinkDeployment, Problem};

use super::agent::Agent;
use super::child;
use crate::handover::Seen;
use crate::{Fact, lifecycle};

/// All that a decision may depend on, besides the time.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource itself, as read.
    pub resource: FlinkBlueGreenDeployment,
    /// What of its specification cannot be read: then `resource.spec` is empty, and nothing of it is acted on.
    pub unreadable: Vec<Problem>,
    /// Operator-wide defaults of the keys of `spec.configuration`.
    pub defaults: BTreeMap<String, String>,
    /// The blue child and its job.
    pub blue: Side,
    /// The green child and its job.
    pub green: Side,
    /// What Flink says of the savepoint whose trigger id the record names; absent where none was asked about.
    pub savepoint: Option<SavepointObservation>,
    /// The agent that this shell can put into a JobManager. Without one, every strategy does without.
    pub agent: Agent,
    /// The handover record of the resource. `Absent` also where there is no agent, and so nobody who reads it.
    pub handover: Fact<Seen>,
    /// The Ingress that is named as the resource.
    pub ingress: Fact<Ingress>,
    /// Results, by path, of the savepoint disposals that this process carried out: `Err` holds Flink's words.
    pub disposals: BTreeMap<String, Result<(), String>>,
    /// What could not be carried out since the last success, in the words of whoever refused it
    /// (a quota, a webhook, a full disk); it is quoted in the status.
    pub failures: Vec<String>,
}

/// One child and what is known of its job.
#[derive(Clone, Debug)]
pub struct Side {
    /// The FlinkDeployment `<name>-<color>`, whoever owns it.
    pub child: Fact<FlinkDeployment>,
    /// The last completed checkpoint of its job, from its JobManager or from where checkpoints are kept. Of a child that
    /// is gone, that of the last one of its name.
    pub checkpoint: Fact<CompletedCheckpoint>,
    /// Its cluster, as its JobManager tells; looked at only where [`super::wants_cluster`] asks for it.
    pub cluster: Fact<ClusterView>,
    /// Since when what its gates report (strategy WATERMARK) has not changed, as far as this process has seen; `None`: it reports
    /// nothing, or has only just.
    pub still_since: Option<Timestamp>,
}

/// A cluster as its JobManager tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterView {
    /// How many slots its registered TaskManagers have.
    pub slots: u32,
}

impl Side {
    /// A side that is not there.
    pub const fn absent() -> Self {
        Self {
            child: Fact::Absent,
            checkpoint: Fact::Absent,
            cluster: Fact::Absent,
            still_since: None,
        }
    }
}

/// A completed checkpoint that a job can be started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedCheckpoint {
    /// The transition that made the child whose job completed it; 0 for one that another operator created.
    pub transition: u64,
    /// Where it is.
    pub path: String,
}

impl CompletedCheckpoint {
    /// What the child's job completed last, as its lifecycle tells. Kept in the memory of a JobManager, it has no path, and
    /// no job can be started from it.
    pub fn of(child: &FlinkDeployment, last: Fact<lifecycle::CompletedCheckpoint>) -> Fact<Self> {
        match &last {
            Fact::Present(last) if last.path.is_empty() => Fact::Absent,
            Fact::Unknown(_) | Fact::Absent | Fact::Present(_) => last.map(|last| Self {
                transition: child::transition(child),
                path: last.path,
            }),
        }
    }

    /// What a child was suspended with: newer than any checkpoint of its job.
    pub fn suspended(child: &FlinkDeployment) -> Option<Self> {
        let path = child::upgrade_savepoint(child).filter(|_| child::is_suspended(child))?;
        Some(Self {
            transition: child::transition(child),
            path: path.to_owned(),
        })
    }
}

/// What Flink says of one savepoint request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavepointObservation {
    /// The trigger id that was asked about.
    pub trigger_id: String,
    /// The answer: `Absent` means that the JobManager does not know this id (it was not sent, or the JobManager has
    /// restarted, or the result has expired) and no finished savepoint stands in the attempt's own directory.
    pub progress: Fact<SavepointProgress>,
}

/// How far a savepoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavepointProgress {
    /// It is being taken.
    InProgress,
    /// It is complete.
    Completed {
        /// Where it is; empty if Flink did not say.
        location: String,
        /// Its number among the job's checkpoints, if it could be learnt.
        checkpoint: Option<u64>,
    },
    /// It failed.
    Failed {
        /// Flink's words.
        cause: String,
    },
}

impl Observed {
    /// A resource around which nothing is.
    pub const fn alone(resource: FlinkBlueGreenDeployment) -> Self {
        Self {
            resource,
            unreadable: Vec::new(),
            defaults: BTreeMap::new(),
            blue: Side::absent(),
            green: Side::absent(),
            savepoint: None,
            agent: Agent::None,
            handover: Fact::Absent,
            ingress: Fact::Absent,
            disposals: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// Whether an incoming job can be told to wait.
    pub fn has_agent(&self) -> bool {
        self.agent != Agent::None
    }

    /// The side of a colour.
    pub const fn side(&self, color: Color) -> &Side {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}
