//! What was found running, and what is left of it.

use std::path::PathBuf;

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
