//! A cluster to be launched, complete: the launcher has no `if` about its meaning.

use std::collections::BTreeMap;

/// Everything that a launcher needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentPlan {
    /// The number of this deployment.
    pub deployment: u64,
    /// The job's id; the configuration holds it, too.
    pub job_id: String,
    /// Flink's version as in the resource: `v1_20`.
    pub flink_version: Option<String>,
    /// Flink's whole configuration, flat, with all that the controller adds: job id, what to restore, memory,
    /// parallelism. Addresses, ports and directories of the processes are the launcher's.
    pub configuration: BTreeMap<String, String>,
    /// Where the job's jar is, as in the resource.
    pub jar_uri: Option<String>,
    /// The main class, if the jar's manifest does not name it.
    pub entry_class: Option<String>,
    /// Arguments of the main method.
    pub args: Vec<String>,
    /// The job's parallelism; the configuration holds it, too.
    pub parallelism: i32,
    /// What to restore; the configuration holds it, too.
    pub restore: Option<Restore>,
    /// How many JobManagers.
    pub job_manager_replicas: i32,
    /// How many TaskManagers.
    pub task_manager_replicas: i32,
    /// Files of the logging configuration by name.
    pub log_configuration: BTreeMap<String, String>,
}

/// A savepoint or checkpoint to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// Where it is.
    pub path: String,
    /// Whether state that no operator claims may be left out.
    pub allow_non_restored_state: bool,
}
