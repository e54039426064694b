//! Processes as the system shows them under `/proc`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// Linux tells times of processes in hundredths of a second, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// What the launcher of `sluice-local` writes on the command line of each Flink process.
const CLUSTER_MARK: &str = "-Dsluice.cluster=";
const DIRECTORY_MARK: &str = "-Dsluice.directory=";

/// The memory of a process, in bytes, as the kernel adds up its pages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    /// All pages that are in memory, those of the program's file too.
    pub(super) resident: u64,
    /// The same, each page that several processes share counted in part only.
    pub(super) proportional: u64,
    /// Without the pages of files.
    pub(super) anonymous: u64,
}

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

/// Memory of a process.
pub(super) fn memory(pid: i32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("the memory of process {pid} cannot be read"))?;
    let bytes = |name: &str| -> u64 {
        let kibibytes = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        kibibytes.unwrap_or(0_u64) * 1024
    };
    Ok(Memory {
        resident: bytes("Rss:"),
        proportional: bytes("Pss:"),
        anonymous: bytes("Anonymous:"),
    })
}

/// The time of the processors that a process has used, for itself and for the system's work on its behalf.
pub(super) fn processor_time(pid: i32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("the times of process {pid} cannot be read"))?;
    let ticks =
        processor_ticks(&text).with_context(|| format!("the times of process {pid} are not there"))?;
    Ok(TICK * ticks)
}

fn processor_ticks(stat: &str) -> Option<u32> {
    // The program's name, in parentheses, may itself have spaces and parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let user: u32 = fields.nth(11)?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// How long all processors together have worked, and how long they have been idle, since the machine started.
pub(super) fn machine_time() -> Result<(Duration, Duration)> {
    let text = fs::read_to_string("/proc/stat").context("the times of the processors cannot be read")?;
    let ticks: Vec<u32> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle: u32 = ticks.iter().skip(3).take(2).sum();
    let all: u32 = ticks.iter().sum();
    Ok((TICK * (all - idle), TICK * idle))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_stand_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 200 0 0 31 11 5 6 20 0 4 0 99 0 0";
        assert_eq!(processor_ticks(stat), Some(42));
    }
}
