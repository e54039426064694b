//! What is kept of a FlinkDeployment from one pass to the next: the intent, written before the effects.
//!
//! It stands in the status under the key [`RECORD_KEY`], beside upstream's fields, which are made from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sluice_api::flink_deployment::{FlinkDeploymentStatus, FlinkJobState, SavepointFormatType};

use crate::identity;

/// The field of the status that holds the [`Record`].
pub const RECORD_KEY: &str = "sluice";

/// The intent and what must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that must not be forgotten, whatever the others say"
)]
pub struct Record {
    /// The number of the present deployment; it grows by one with each start of a cluster. 0: none yet.
    pub deployment: u64,
    /// The job's id in this deployment.
    #[serde(default)]
    pub job_id: String,
    /// What this deployment was started from; absent: from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// The generation of the resource whose specification is deployed, or suspended.
    #[serde(default)]
    pub generation: i64,
    /// How far it is.
    pub step: Step,
    /// Whether the cluster of this deployment was ever seen: from then on, not to see it means that it is gone.
    #[serde(default)]
    pub was_seen: bool,
    /// Whether the cluster of this deployment was launched after it was suspended, by somebody who should have ended by
    /// then. Nobody knows with which specification, so it makes way for the present one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_launched_late: bool,
    /// Whether the job of this deployment was ever stable.
    #[serde(default)]
    pub was_stable: bool,
    /// Whether the job of this deployment was ever seen with a completed checkpoint: then it may have committed
    /// output, and never starts from anything older.
    #[serde(default)]
    pub has_checkpointed: bool,
    /// The number of the last savepoint that was asked for in this deployment; it names their directories. They count
    /// from 1, and in a record that was made anew from the time of that (in ms), because nobody knows the ones before.
    #[serde(default)]
    pub savepoints: u64,
    /// The number of the last checkpoint that was asked for in this deployment, counted likewise.
    #[serde(default)]
    pub checkpoints: u64,
    /// A savepoint that was asked for by hand and is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<SavepointRequest>,
    /// A checkpoint that was asked for by hand and is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointRequest>,
    /// The crashes of the JobManager in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crashes: Option<Crashes>,
    /// An edit that was tried and set aside; tried again with the next edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAside>,
}

/// How far a deployment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all_fields = "camelCase")]
pub enum Step {
    /// To be launched, or launched and not yet stable.
    Deploying {
        /// Since when.
        since: Timestamp,
        /// It is not launched before this moment (after a crash).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// The first look at which all tasks were running.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_look: Option<Look>,
    },
    /// Stable: it was seen running twice without a restart between, or has completed a checkpoint.
    Running {
        /// Since when it is stable.
        since: Timestamp,
    },
    /// The job has ended by itself: it finished, failed for good, or was cancelled by someone else.
    Ended {
        /// Since when.
        since: Timestamp,
        /// How.
        state: FlinkJobState,
        /// Why, unless it finished; Flink's words, if it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Being stopped; what follows is decided by the specification at the end of it.
    Stopping {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: StopReason,
        /// How.
        stop: Stop,
    },
    /// Nothing runs, and nothing should.
    Suspended {
        /// Since when.
        since: Timestamp,
        /// What the next start restores; absent: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restore: Option<String>,
    },
}

/// One look at a running job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// When it was taken.
    pub at: Timestamp,
    /// Since when the job was running by its JobManager's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
}

/// Why a deployment is being stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// `job.state` says suspended.
    Suspend,
    /// The specification changed.
    Upgrade,
    /// `savepointRedeployNonce` changed: the job's own state is given up.
    Redeploy,
    /// Its JobManager died.
    Crash,
    /// The resource is being deleted.
    Delete,
}

/// How a deployment is being stopped. Each way ends with [`Stop::Cluster`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all_fields = "camelCase")]
pub enum Stop {
    /// The job stops with a savepoint.
    Savepoint {
        /// The request.
        request: SavepointRequest,
    },
    /// The job is cancelled; its checkpoints stay.
    Cancel {
        /// After this the cluster is ended without the job's consent.
        deadline: Timestamp,
    },
    /// The cluster is ended.
    Cluster {
        /// The newest state of the job, if that is known already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        newest: Option<String>,
    },
}

/// One request for a savepoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavepointRequest {
    /// Our own trigger id.
    pub trigger_id: String,
    /// The target directory of this request alone.
    pub directory: String,
    /// Its format.
    pub format: SavepointFormatType,
    /// Since when it is wanted.
    pub since: Timestamp,
    /// After this it has failed.
    pub deadline: Timestamp,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// It is not sent before this moment (after a failed attempt).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Why the attempt before it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// The nonce that asked for it; absent for the savepoint of a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<i64>,
}

/// One request for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointRequest {
    /// Our own trigger id.
    pub trigger_id: String,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// Since when it is wanted.
    pub since: Timestamp,
    /// After this it has failed.
    pub deadline: Timestamp,
    /// The nonce that asked for it.
    pub nonce: i64,
}

/// The crashes of the JobManager in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crashes {
    /// How many.
    pub count: u32,
    /// The launcher's words about the last one.
    pub last: String,
}

/// An edit that was tried and could not be carried out while the job went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAside {
    /// The generation of it.
    pub generation: i64,
    /// Why, for people.
    pub reason: String,
}

impl Record {
    /// The record of a deployment at its beginning.
    pub(super) fn new(uid: &str, deployment: u64, generation: i64, step: Step) -> Self {
        Self {
            deployment,
            job_id: if deployment == 0 {
                String::new()
            } else {
                identity::job_id(uid, deployment)
            },
            restored_from: None,
            generation,
            step,
            was_seen: false,
            was_launched_late: false,
            was_stable: false,
            has_checkpointed: false,
            savepoints: 0,
            checkpoints: 0,
            savepoint: None,
            checkpoint: None,
            crashes: None,
            set_aside: None,
        }
    }

    /// The record in a status; `None` if there is none, or none that can be read.
    pub fn read(status: &FlinkDeploymentStatus) -> Option<Self> {
        serde_json::from_value(status.extra.get(RECORD_KEY)?.clone()).ok()
    }

    /// Puts the record into a status.
    pub fn write(&self, status: &mut FlinkDeploymentStatus) {
        // A record of ours that cannot be written as JSON does not exist.
        if let Ok(value) = serde_json::to_value(self) {
            status.extra.insert(RECORD_KEY.to_owned(), value);
        }
    }
}
