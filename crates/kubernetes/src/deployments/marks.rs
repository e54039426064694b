//! What Sluice writes on the objects of a cluster, and Flink's own names on them.

/// Label on everything of one deployment: its number. Flink puts it on the TaskManagers' pods, too.
pub(crate) const LABEL_DEPLOYMENT: &str = "flink/deployment-number";
/// Annotation on the Deployment: what its job was started from.
pub(crate) const ANNOTATION_RESTORED_FROM: &str = "flink/restored-from";
/// Annotation on the Deployment: `once` where its JobManager must never be started a second time.
pub(crate) const ANNOTATION_STARTS: &str = "flink/job-manager-starts";
/// The value of [`ANNOTATION_STARTS`].
pub(crate) const ONCE: &str = "once";
/// Annotation on the Deployment: the uid of the one pod that may run the JobManager.
pub(crate) const ANNOTATION_RELEASED: &str = "flink/released-pod";
/// Annotation on the FlinkDeployment: the largest deployment number that was ever launched.
pub(crate) const ANNOTATION_LAUNCHED: &str = "flink/last-launched";
/// Annotation on the Deployment: how its JobManager ended.
pub(crate) const ANNOTATION_ENDED: &str = "flink/job-manager-ended";
/// Annotation on the Deployment: the number of the checkpoint that its job has restored.
pub(crate) const ANNOTATION_RESTORED: &str = "flink/restored-checkpoint";
/// The scheduling gate that holds a JobManager's pod back until it is the one that may run.
pub(crate) const GATE: &str = "flink/started-once";
/// Upstream's annotation: the generation of the FlinkDeployment that was deployed.
pub(crate) const ANNOTATION_GENERATION: &str = "flinkdeployment.flink.apache.org/generation";

/// Flink's label with the name of the cluster.
pub(crate) const LABEL_APP: &str = "app";
/// Flink's label with `jobmanager` or `taskmanager`.
pub(crate) const LABEL_COMPONENT: &str = "component";
/// Flink's label for what its native integration made.
pub(crate) const LABEL_TYPE: &str = "type";
/// The value of [`LABEL_TYPE`].
pub(crate) const NATIVE: &str = "flink-native-kubernetes";
/// A value of [`LABEL_COMPONENT`].
pub(crate) const JOB_MANAGER: &str = "jobmanager";
/// A value of [`LABEL_COMPONENT`].
pub(crate) const TASK_MANAGER: &str = "taskmanager";
/// Flink's label on the ConfigMaps of its high availability.
pub(crate) const LABEL_CONFIG_MAP: &str = "configmap-type";
/// The value of [`LABEL_CONFIG_MAP`].
pub(crate) const HIGH_AVAILABILITY: &str = "high-availability";
/// The container that Flink runs in, in every pod.
pub(crate) const MAIN_CONTAINER: &str = "flink-main-container";
