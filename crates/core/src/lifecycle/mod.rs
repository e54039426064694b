//! The life of one `FlinkDeployment` in application mode.

pub mod decision;
pub mod observed;
pub mod plan;
pub mod record;

use jiff::Timestamp;

pub use decision::{Decision, Effect, Waiting, WaitingFor};
pub use observed::{
    Cluster, CompletedCheckpoint, JobView, Observed, OperationObservation, OperationProgress,
};
pub use plan::{DeploymentPlan, Restore};
pub use record::{Record, Step};

use crate::Wake;

/// Decides what is to be done about one FlinkDeployment.
pub fn decide(observed: &Observed, now: Timestamp) -> Decision {
    let _ = (observed, now);
    Decision { status: None, effects: Vec::new(), waiting: None, events: Vec::new(), wake: Wake::OnChange }
}

/// The operations that the record is waiting for: a shell asks about each before it decides.
pub fn asked_operations(record: &Record) -> Vec<AskedOperation> {
    let stop = match &record.step {
        Step::Stopping { stop: record::Stop::Savepoint { request, .. }, .. } => Some(AskedOperation::Savepoint {
            trigger_id: request.trigger_id.clone(),
            directory: request.directory.clone(),
        }),
        Step::Stopping { .. }
        | Step::Deploying { .. }
        | Step::Running { .. }
        | Step::Ended { .. }
        | Step::Suspended { .. } => None,
    };
    let savepoint = record.savepoint.as_ref().map(|request| AskedOperation::Savepoint {
        trigger_id: request.trigger_id.clone(),
        directory: request.directory.clone(),
    });
    let checkpoint = record
        .checkpoint
        .as_ref()
        .map(|request| AskedOperation::Checkpoint { trigger_id: request.trigger_id.clone() });
    stop.into_iter().chain(savepoint).chain(checkpoint).collect()
}

/// An operation to ask the JobManager about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedOperation {
    /// A savepoint; where the JobManager does not know it, a finished one may stand in its directory.
    Savepoint {
        /// Our own trigger id.
        trigger_id: String,
        /// The directory of this request alone.
        directory: String,
    },
    /// A checkpoint.
    Checkpoint {
        /// Our own trigger id.
        trigger_id: String,
    },
}
