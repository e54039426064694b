//! What a deployment is started from: written down as a whole before its first process starts, so that a later runner can
//! start its TaskManagers again without knowing the plan.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::directory::{DeploymentDirectory, JOB_MANAGER};
use super::error::LaunchError;
use super::jar::encoded;
use super::process::marks;

/// The content of `cluster.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Intent {
    /// The number of the deployment.
    pub(super) deployment: u64,
    /// The job's id.
    pub(super) job_id: String,
    /// What the job is started from.
    pub(super) restored_from: Option<String>,
    /// When it was launched.
    pub(super) launched_at: Timestamp,
    /// Flink's version, for people.
    pub(super) flink_version: String,
    /// The ports on 127.0.0.1.
    pub(super) ports: Ports,
    /// How many TaskManagers.
    pub(super) task_managers: u32,
    /// The Java to run.
    pub(super) java: PathBuf,
    /// Java's class path.
    pub(super) class_path: String,
    /// Environment of every process, beside the launcher's own.
    pub(super) environment: BTreeMap<String, String>,
    /// The JobManager.
    pub(super) job_manager: Program,
    /// Each TaskManager.
    pub(super) task_manager: Program,
}

/// The ports that must be known before the processes start. All others are taken by Flink from the system as it binds
/// them, which cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ports {
    /// The REST API.
    pub(super) rest: u16,
    /// Where TaskManagers find the JobManager.
    pub(super) rpc: u16,
}

/// What one kind of process runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Program {
    /// Options of the JVM, without those that differ from process to process.
    pub(super) options: Vec<String>,
    /// Java's main class.
    pub(super) main_class: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Environment of this kind of process alone.
    pub(super) environment: BTreeMap<String, String>,
}

impl Intent {
    /// Where the REST API is.
    pub(super) fn rest_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.rest)
    }

    /// Starts one process. It is in a process group of its own and has no pipe to us, so neither Ctrl-C in our terminal
    /// nor our own end reaches it.
    pub(super) fn start(
        &self,
        base: &Path,
        folder: &str,
        directory: &DeploymentDirectory,
        process: &str,
    ) -> Result<Child, LaunchError> {
        let output = directory.output_of(process);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&output)
            .map_err(LaunchError::file(&output))?;
        let errors = file.try_clone().map_err(LaunchError::file(&output))?;
        let program = if process == JOB_MANAGER {
            &self.job_manager
        } else {
            &self.task_manager
        };
        let conf = directory.conf();
        Command::new(&self.java)
            .args(marks(base, folder, self.deployment, process))
            .args(&program.options)
            .arg(format!("-Dlog.file={}", directory.log_of(process).display()))
            // As Flink's scripts do where standard output goes to a file: no second copy of the log in it.
            .arg("-Dconsole.log.level=OFF")
            .arg(format!(
                "-Dlog4j.configurationFile=file:{}",
                encoded(&conf.join("log4j-console.properties"))
            ))
            .arg(format!(
                "-Dlogback.configurationFile=file:{}",
                encoded(&conf.join("logback-console.xml"))
            ))
            .arg(format!("-Djava.io.tmpdir={}", directory.tmp().display()))
            .arg("-classpath")
            .arg(&self.class_path)
            .arg(&program.main_class)
            .args(&program.arguments)
            .envs(&self.environment)
            .envs(&program.environment)
            .current_dir(directory.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|source| LaunchError::Spawn {
                process: process.to_owned(),
                executable: self.java.clone(),
                source,
            })
    }
}
