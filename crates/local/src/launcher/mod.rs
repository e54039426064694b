//! Real Flink on this machine: one JobManager (a standalone application cluster) and its TaskManagers per
//! FlinkDeployment, as plain processes that outlive the runner.
//!
//! Every function blocks for files and processes, and none waits for Flink: a launch takes milliseconds, a look less.
//! What must be found again after a crash of the runner is on disk before a process starts, and a process carries its
//! name on its own command line, so that one that was started and not yet written down is found as well.

mod error;
mod plan;

use std::path::PathBuf;

use sluice_core::Fact;
use sluice_core::bluegreen::observed::CompletedCheckpoint;

pub use error::LaunchError;
pub use plan::{Cluster, DeploymentPlan, LogFile, RunningCluster, TaskManagers};

/// Starts, finds again and stops the Flink processes under one directory.
#[derive(Debug)]
pub struct Launcher {
    base: PathBuf,
}

impl Launcher {
    /// A launcher that keeps everything under `base_directory`, which is created if it is not there.
    pub fn new(base_directory: impl Into<PathBuf>) -> Result<Self, LaunchError> {
        let base = base_directory.into();
        std::fs::create_dir_all(&base).map_err(LaunchError::file(&base))?;
        let base = base.canonicalize().map_err(LaunchError::file(&base))?;
        Ok(Self { base })
    }

    /// Looks for Java, which takes a moment (`java -version` is run once), so that the first launch need not.
    pub fn prepare(&self) -> Result<(), LaunchError> {
        todo!()
    }

    /// Starts the JobManager and the TaskManagers of `plan`, unless that was done before: launching the same deployment
    /// again changes nothing. An earlier deployment that still runs is told to stop, and the launch is refused
    /// ([`LaunchError::StillRunning`]).
    pub fn launch(
        &self,
        _plan: &DeploymentPlan,
        _namespace: &str,
        _name: &str,
        _uid: &str,
    ) -> Result<(), LaunchError> {
        todo!()
    }

    /// The newest deployment that was launched for this uid; `Absent` if none was ever started.
    pub fn observe(&self, _uid: &str) -> Fact<Cluster> {
        todo!()
    }

    /// Starts the TaskManagers again that have died while their JobManager lives; how many it started.
    pub fn ensure_task_managers(&self, _uid: &str) -> Result<u32, LaunchError> {
        todo!()
    }

    /// Tells every process of this deployment to end (SIGTERM), and after some seconds makes it end (SIGKILL). Returns
    /// at once and may be repeated; that the processes are gone is for [`Self::observe`] and [`Self::all`] to say.
    pub fn stop(&self, _uid: &str, _deployment: u64) -> Result<(), LaunchError> {
        todo!()
    }

    /// Every cluster of which a process runs under this directory, those of deleted resources too.
    pub fn all(&self) -> Result<Vec<RunningCluster>, LaunchError> {
        todo!()
    }

    /// Removes what is kept on disk of this uid, its logs too; refused while a process of it runs.
    pub fn forget(&self, _uid: &str) -> Result<(), LaunchError> {
        todo!()
    }

    /// Where the REST API of the newest deployment is, whether or not it answers.
    pub fn rest_address(&self, _uid: &str) -> Fact<String> {
        todo!()
    }

    /// The log files of the kept deployments, the newest deployment first.
    pub fn log_files(&self, _uid: &str) -> Vec<LogFile> {
        todo!()
    }
}

/// The newest completed checkpoint of a job in its checkpoint directory on this machine (`file:`), for when no
/// JobManager answers. `Unknown` for any other file system.
pub fn last_checkpoint(_directory: &str, _job_id: &str) -> Fact<CompletedCheckpoint> {
    todo!()
}

/// The complete savepoint in the directory that one attempt has to itself. `Unknown` for any other file system than
/// this machine's (`file:`).
pub fn finished_savepoint(_directory: &str) -> Fact<String> {
    todo!()
}
