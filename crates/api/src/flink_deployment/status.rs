//! What the operator last observed of a FlinkDeployment, and how far it is.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Extra;
use crate::lenient::{lenient, lenient_list};

/// What the operator last observed of a FlinkDeployment, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentStatus {
    /// Version and revision of Flink, CPU and memory of the cluster.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub cluster_info: BTreeMap<String, String>,
    /// Kubernetes' conditions.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The last error, for people.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<String>,
    /// How far the JobManager is.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub job_manager_deployment_status: Option<JobManagerDeploymentStatus>,
    /// The job.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub job_status: Option<JobStatus>,
    /// The whole in one word.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub lifecycle_state: Option<LifecycleState>,
    /// The generation that this status describes.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_generation: Option<i64>,
    /// Which specification is deployed.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub reconciliation_status: Option<ReconciliationStatus>,
    /// The TaskManagers, for the scale subresource.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub task_manager: Option<TaskManagerInfo>,
    /// Fields that Sluice does not know, and those that its own life cycle keeps.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// How far the JobManager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobManagerDeploymentStatus {
    /// It runs and its REST service answers.
    Ready,
    /// It runs; its REST service does not answer yet.
    DeployedNotReady,
    /// It is being started.
    Deploying,
    /// It is not there.
    Missing,
    /// It could not be started.
    Error,
}

/// A FlinkDeployment in one word (upstream's `ResourceLifecycleState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LifecycleState {
    /// Created, and not looked at yet.
    Created,
    /// Suspended.
    Suspended,
    /// Being upgraded.
    Upgrading,
    /// Deployed, and not yet known to be stable.
    Deployed,
    /// Deployed and known to be stable.
    Stable,
    /// Being rolled back.
    RollingBack,
    /// Rolled back.
    RolledBack,
    /// Failed for good.
    Failed,
    /// Being deleted.
    Deleting,
    /// Deleted.
    Deleted,
}

/// The job as last observed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// The job's name.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub job_name: Option<String>,
    /// The job's id, 32 hexadecimal digits.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub job_id: Option<String>,
    /// The job's state as Flink names it, and `RECONCILING`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub state: Option<FlinkJobState>,
    /// Milliseconds since 1970, as text.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<String>,
    /// Milliseconds since 1970, as text.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub update_time: Option<String>,
    /// The savepoint or checkpoint that the next start restores.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub upgrade_savepoint_path: Option<String>,
    /// Savepoints that were asked for, and taken.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub savepoint_info: Option<SavepointInfo>,
    /// Checkpoints that were asked for, and taken.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub checkpoint_info: Option<CheckpointInfo>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// A job's state as Flink names it, and `RECONCILING` for one that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "Flink's own words: org.apache.flink.api.common.JobStatus"
)]
pub enum FlinkJobState {
    Canceled,
    Cancelling,
    Created,
    Failed,
    Failing,
    Finished,
    Initializing,
    Reconciling,
    Restarting,
    Running,
    Suspended,
}

/// Savepoints that were asked for, and taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavepointInfo {
    /// The last savepoint.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_savepoint: Option<Savepoint>,
    /// The id of the request under way.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_id: Option<String>,
    /// When it was sent, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_timestamp: Option<i64>,
    /// Who asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its format.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub format_type: Option<SavepointFormatType>,
    /// Savepoints that still exist as far as is known.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub savepoint_history: Vec<Savepoint>,
    /// When the last periodic one was taken, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_periodic_savepoint_timestamp: Option<i64>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// One savepoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Savepoint {
    /// When it was taken, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_stamp: Option<i64>,
    /// Where it is.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub location: Option<String>,
    /// Who asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its format.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub format_type: Option<SavepointFormatType>,
    /// The nonce that asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_nonce: Option<i64>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Checkpoints that were asked for, and taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointInfo {
    /// The last checkpoint.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_checkpoint: Option<Checkpoint>,
    /// The id of the request under way.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_id: Option<String>,
    /// When it was sent, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_timestamp: Option<i64>,
    /// Who asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its kind.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub format_type: Option<CheckpointFormatType>,
    /// When the last periodic one was taken, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_periodic_checkpoint_timestamp: Option<i64>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// One checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// When it was taken, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub time_stamp: Option<i64>,
    /// Who asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_type: Option<SnapshotTriggerType>,
    /// Its kind.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub format_type: Option<CheckpointFormatType>,
    /// The nonce that asked for it.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub trigger_nonce: Option<i64>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Who asked for a savepoint or checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SnapshotTriggerType {
    /// A person, by a nonce.
    Manual,
    /// The clock.
    Periodic,
    /// An upgrade.
    Upgrade,
    /// Not known.
    Unknown,
}

/// The format of a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SavepointFormatType {
    /// Portable between state backends.
    Canonical,
    /// The state backend's own.
    Native,
    /// Not known.
    Unknown,
}

/// The kind of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckpointFormatType {
    /// All state.
    Full,
    /// What changed since the last.
    Incremental,
    /// Not known.
    Unknown,
}

/// Which specification is deployed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconciliationStatus {
    /// When it was deployed, milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub reconciliation_timestamp: Option<i64>,
    /// The specification that was last deployed, as JSON `{"spec": ...}`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_reconciled_spec: Option<String>,
    /// The specification that was last stable, as JSON.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_stable_spec: Option<String>,
    /// How far the last change is.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub state: Option<ReconciliationState>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// How far the last change of a specification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReconciliationState {
    /// Deployed.
    Deployed,
    /// Being deployed.
    Upgrading,
    /// Being rolled back.
    RollingBack,
    /// Rolled back.
    RolledBack,
}

/// The TaskManagers, for the scale subresource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerInfo {
    /// A label selector of their pods.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub label_selector: Option<String>,
    /// How many there are.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub replicas: Option<i32>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}
