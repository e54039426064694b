//! What is to be launched, and what was found running.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

/// One deployment of a FlinkDeployment as a complete value: everything that its processes are made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPlan {
    /// Grows with each deployment of the same FlinkDeployment; a larger one replaces a smaller one.
    pub deployment: u64,
    /// The job's id: 32 hexadecimal digits.
    pub job_id: String,
    /// Flink's effective configuration with flat keys.
    pub configuration: BTreeMap<String, String>,
    /// `spec.job.jarURI`; absent when the job's classes are in the distribution.
    pub jar_uri: Option<String>,
    /// `spec.job.entryClass`; absent when the jar's manifest names the main class.
    pub entry_class: Option<String>,
    /// Arguments of the main method.
    pub args: Vec<String>,
    /// The job's parallelism.
    pub parallelism: u32,
    /// The savepoint or checkpoint to start from.
    pub restore_path: Option<String>,
    /// Whether state that no operator claims may be left out on restore.
    pub allow_non_restored_state: bool,
    /// `spec.jobManager.resource.memory`: the memory of the whole process.
    pub job_manager_memory: Option<String>,
    /// `spec.taskManager.resource.memory`: the memory of the whole process.
    pub task_manager_memory: Option<String>,
    /// How many TaskManagers.
    pub task_managers: u32,
    /// `spec.flinkVersion`: `v1_20`.
    pub flink_version: String,
    /// `spec.logConfiguration`: files of the logging configuration by name.
    pub log_configuration: BTreeMap<String, String>,
}

/// What was found of the newest deployment of one FlinkDeployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its number.
    pub deployment: u64,
    /// Whether its JobManager process is there.
    pub alive: bool,
    /// Why the JobManager ended, in one sentence with its last error; set exactly if it is not alive.
    pub ended: Option<String>,
    /// Where its REST API is, such as `http://127.0.0.1:18081`; it may not answer yet, or not any more.
    pub rest_address: String,
    /// How many TaskManager processes there are, and how many there should be.
    pub task_managers: TaskManagers,
}

/// The TaskManager processes of one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskManagers {
    /// Processes that are there.
    pub alive: u32,
    /// Processes that should be there.
    pub wanted: u32,
}

/// A cluster of which at least one process runs under the launcher's directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningCluster {
    /// The uid of its FlinkDeployment.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The deployment that the process belongs to.
    pub deployment: u64,
}

/// One file that a process of a cluster writes for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The deployment that wrote it.
    pub deployment: u64,
    /// `jobmanager` or `taskmanager-<n>`.
    pub process: String,
    /// `<process>.log` is Flink's log; `<process>.out` is what the process wrote to its standard streams.
    pub path: PathBuf,
}
