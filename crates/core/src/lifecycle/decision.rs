//! What was decided: a value that can be printed, replayed and checked.

use jiff::Timestamp;
use sluice_api::flink_deployment::{FlinkDeploymentStatus, SavepointFormatType};

use super::plan::DeploymentPlan;
use crate::{Event, Wake};

/// What was decided. The status is written first, under the resourceVersion that was observed; if that write is refused,
/// nothing else of the decision is carried out. Then the effects, in order; the first that fails ends the pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The status to write; `None`: it stands as it is.
    pub status: Option<Box<FlinkDeploymentStatus>>,
    /// What to carry out, in order, each a complete value.
    pub effects: Vec<Effect>,
    /// What is being waited for.
    pub waiting: Option<Waiting>,
    /// What to tell people; only with a changed status.
    pub events: Vec<Event>,
    /// When to look again.
    pub wake: Wake,
}

/// One effect; its result can be observed again, and carrying it out twice is as good as once.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Put the finalizer of FlinkDeployments on the resource.
    AddFinalizer,
    /// Take the finalizer off the resource, so that it goes.
    RemoveFinalizer,
    /// Launch this cluster. A launcher that ever launched this number or a larger one for this uid does nothing.
    Deploy {
        /// Everything there is to know about it.
        plan: Box<DeploymentPlan>,
    },
    /// End every process of this cluster, and of no other.
    StopCluster {
        /// The number that it was launched for.
        deployment: u64,
    },
    /// Ask the JobManager to stop the job with a savepoint. A repeated trigger id is the same request.
    StopWithSavepoint {
        /// The job.
        job_id: String,
        /// Our own trigger id.
        trigger_id: String,
        /// The target directory of this attempt alone.
        directory: String,
        /// The savepoint's format.
        format: SavepointFormatType,
    },
    /// Ask the JobManager for a savepoint while the job goes on running. A repeated trigger id is the same request.
    TriggerSavepoint {
        /// The job.
        job_id: String,
        /// Our own trigger id.
        trigger_id: String,
        /// The target directory of this attempt alone.
        directory: String,
        /// The savepoint's format.
        format: SavepointFormatType,
    },
    /// Ask the JobManager for a checkpoint. A repeated trigger id is the same request.
    TriggerCheckpoint {
        /// The job.
        job_id: String,
        /// Our own trigger id.
        trigger_id: String,
    },
    /// Ask the JobManager to cancel the job; one that has ended already is as good as cancelled.
    CancelJob {
        /// The job.
        job_id: String,
    },
}

impl Effect {
    /// Its kind in one word, for logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddFinalizer => "AddFinalizer",
            Self::RemoveFinalizer => "RemoveFinalizer",
            Self::Deploy { .. } => "Deploy",
            Self::StopCluster { .. } => "StopCluster",
            Self::StopWithSavepoint { .. } => "StopWithSavepoint",
            Self::TriggerSavepoint { .. } => "TriggerSavepoint",
            Self::TriggerCheckpoint { .. } => "TriggerCheckpoint",
            Self::CancelJob { .. } => "CancelJob",
        }
    }
}

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub what: WaitingFor,
    /// Since when, if the record says so.
    pub since: Option<Timestamp>,
    /// Until when; `None`: until a person acts or something changes.
    pub until: Option<Timestamp>,
}

/// What can be waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// Something that the decision depends on could not be observed.
    Observation(String),
    /// The finalizer to be on the resource.
    Finalizer,
    /// The time of the next start after a crash.
    NextStart,
    /// A cluster of this deployment to be launched.
    Launched(u64),
    /// All tasks of the job to run.
    JobRunning,
    /// The job to have run without a restart for a moment.
    JobSettled,
    /// The job to stop with a savepoint.
    StopWithSavepoint,
    /// The next attempt at stopping the job with a savepoint.
    NextAttempt,
    /// A savepoint that was asked for by hand.
    Savepoint,
    /// A checkpoint that was asked for by hand.
    Checkpoint,
    /// The job to be cancelled.
    Cancelled,
    /// The cluster of this deployment to be gone.
    ClusterGone(u64),
    /// The last completed checkpoint to be known.
    LastCheckpoint(String),
    /// The resource to go.
    ResourceGone,
    /// A person to change the specification or something else that stands in the way.
    Person(String),
}

impl std::fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Observation(why) => write!(f, "what could not be observed: {why}"),
            Self::Finalizer => f.write_str("the finalizer to be on the resource"),
            Self::NextStart => f.write_str("the time of the next start"),
            Self::Launched(deployment) => write!(f, "the cluster of deployment {deployment} to be launched"),
            Self::JobRunning => f.write_str("all tasks of the job to run"),
            Self::JobSettled => f.write_str("the job to run for a moment without a restart"),
            Self::StopWithSavepoint => f.write_str("the job to stop with a savepoint"),
            Self::NextAttempt => f.write_str("the next attempt at stopping the job with a savepoint"),
            Self::Savepoint => f.write_str("the savepoint that was asked for"),
            Self::Checkpoint => f.write_str("the checkpoint that was asked for"),
            Self::Cancelled => f.write_str("the job to be cancelled"),
            Self::ClusterGone(deployment) => write!(f, "the cluster of deployment {deployment} to be gone"),
            Self::LastCheckpoint(why) => write!(f, "the last completed checkpoint to be known: {why}"),
            Self::ResourceGone => f.write_str("the resource to go"),
            Self::Person(what) => write!(f, "a person: {what}"),
        }
    }
}
