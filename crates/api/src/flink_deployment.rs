//! `FlinkDeployment`: one Flink cluster and, in application mode, its job.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lenient::{lenient, lenient_list};

/// Fields of an object that Sluice does not know, kept as they came.
pub type Extra = Map<String, Value>;

/// A Flink cluster and its job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeployment {
    /// `flink.apache.org/v1beta1`.
    #[serde(default)]
    pub api_version: String,
    /// `FlinkDeployment`.
    #[serde(default)]
    pub kind: String,
    /// Name, labels, owner and the rest of Kubernetes' metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the user (or the blue/green controller) wants.
    #[serde(default)]
    pub spec: FlinkDeploymentSpec,
    /// What the operator last observed and did.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<FlinkDeploymentStatus>,
}

/// The wanted cluster and job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentSpec {
    /// The job to run; absent in a session cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobSpec>,
    /// A change of it restarts the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_nonce: Option<i64>,
    /// Flink's configuration, with flat dotted keys or as nested YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flink_configuration: Option<Value>,
    /// The container image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Kubernetes' pull policy of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<String>,
    /// The service account of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Flink's version as upstream writes it: `v1_20`, `v2_3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^v\d+_\d+$"))]
    pub flink_version: Option<String>,
    /// An Ingress for the REST service of this cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// A pod template for all pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Pod>")]
    pub pod_template: Option<Value>,
    /// The JobManager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_manager: Option<JobManagerSpec>,
    /// The TaskManagers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_manager: Option<TaskManagerSpec>,
    /// Files of the logging configuration by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<BTreeMap<String, String>>,
    /// How Flink runs on Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<KubernetesDeploymentMode>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// The job of an application cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// Where the job's jar is: `local:///opt/flink/usrlib/job.jar`.
    #[serde(default, rename = "jarURI", skip_serializing_if = "Option::is_none")]
    pub jar_uri: Option<String>,
    /// The job's parallelism.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub parallelism: Option<i32>,
    /// The main class, if the jar's manifest does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_class: Option<String>,
    /// Arguments of the main method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// Whether the job should run; absent means running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// A change of it takes a savepoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint_trigger_nonce: Option<i64>,
    /// The savepoint that the job starts from when it is deployed for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_savepoint_path: Option<String>,
    /// A change of it takes a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_trigger_nonce: Option<i64>,
    /// How an upgrade carries the state over; absent means stateless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade_mode: Option<UpgradeMode>,
    /// Whether state that no operator claims may be left out on restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_non_restored_state: Option<bool>,
    /// A change of it deploys the job anew from `initialSavepointPath`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint_redeploy_nonce: Option<i64>,
    /// A change of it resets the autoscaler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler_reset_nonce: Option<i64>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Whether the job should run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// The job should run.
    #[default]
    Running,
    /// The job should be stopped, its state kept.
    Suspended,
}

/// How an upgrade carries the job's state over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeMode {
    /// By a savepoint.
    Savepoint,
    /// By the last completed checkpoint; blue/green takes a savepoint for it, too.
    LastState,
    /// Not at all.
    #[default]
    Stateless,
}

/// How Flink runs on Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KubernetesDeploymentMode {
    /// Flink asks Kubernetes for its TaskManagers.
    Native,
    /// The operator deploys the TaskManagers.
    Standalone,
}

/// The JobManager.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobManagerSpec {
    /// Memory and CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Kubernetes' resource requirements, in newer upstream versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ResourceRequirements>")]
    pub resources: Option<Value>,
    /// How many JobManagers, with high availability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub replicas: Option<i32>,
    /// A pod template for the JobManager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Pod>")]
    pub pod_template: Option<Value>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// The TaskManagers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerSpec {
    /// Memory and CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// Kubernetes' resource requirements, in newer upstream versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ResourceRequirements>")]
    pub resources: Option<Value>,
    /// How many TaskManagers; computed from the parallelism if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub replicas: Option<i32>,
    /// A pod template for the TaskManagers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Pod>")]
    pub pod_template: Option<Value>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// Memory, CPU and ephemeral storage of one process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// CPU in cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<serde_json::Number>,
    /// Total process memory as Flink writes memory sizes: `2048m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Ephemeral storage as Kubernetes writes quantities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<String>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// An Ingress made from a template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// Host and path, with `{{name}}` and `{{namespace}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The ingress class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Annotations of the Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Labels of the Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// TLS of the Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Vec<IngressTls>>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// TLS of an Ingress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressTls {
    /// Host names of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// The Secret that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

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
