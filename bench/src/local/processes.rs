//! Processes as the system shows them under `/proc`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What the launcher of `sluice-local` writes on the command line of each Flink process.
const CLUSTER_MARK: &str = "-Dsluice.cluster=";
const DIRECTORY_MARK: &str = "-Dsluice.directory=";

/// A Flink process of one runner.
#[derive(Clone, Debug)]
pub(super) struct FlinkProcess {
    /// Its number.
    pub(super) pid: i32,
    /// `<namespace>_<name>_<uid>/<deployment>/<process>`.
    mark: String,
}

impl FlinkProcess {
    /// Whether it is a JobManager.
    pub(super) fn is_job_manager(&self) -> bool {
        self.mark.ends_with("/jobmanager")
    }

    /// Whether it belongs to the FlinkDeployment of this name in the default namespace.
    pub(super) fn belongs_to(&self, deployment: &str) -> bool {
        self.mark.starts_with(&format!("default_{deployment}_"))
    }
}

/// The processes that there are.
pub(super) fn pids() -> Result<HashSet<i32>> {
    let mut found = HashSet::new();
    for entry in fs::read_dir("/proc").context("the processes cannot be listed")? {
        found.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<i32>().ok()),
        );
    }
    Ok(found)
}

/// The Flink processes of the runner of this directory, those in `without` left aside.
pub(super) fn flink(directory: &Path, without: &HashSet<i32>) -> Result<Vec<FlinkProcess>> {
    let directory = format!("{DIRECTORY_MARK}{}", directory.display());
    let mut found = Vec::new();
    for pid in pids()?.difference(without) {
        // Gone in between, or another user's: neither is ours.
        let Ok(command_line) = fs::read(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        let arguments: Vec<String> = command_line
            .split(|byte| *byte == 0)
            .take(8)
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .collect();
        let mark = arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(CLUSTER_MARK));
        if let (Some(mark), true) = (mark, arguments.contains(&directory)) {
            found.push(FlinkProcess {
                pid: *pid,
                mark: mark.to_owned(),
            });
        }
    }
    Ok(found)
}
