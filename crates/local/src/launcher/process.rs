//! Processes as the system lists them: which one it is, whether it is still the same one, and which are ours.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// Every process of a cluster has this on its command line: `<folder>/<deployment>/<process>`.
const CLUSTER_MARK: &str = "-Dsluice.cluster=";
/// Beside it, the launcher's directory, so that two launchers on one machine never take each other's processes.
const DIRECTORY_MARK: &str = "-Dsluice.directory=";

/// One process for all time: numbers are used again, but not with the same start in the same boot of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessIdentity {
    /// The process's number.
    pub(super) pid: i32,
    /// When it started, in clock ticks since the machine did (field 22 of `/proc/<pid>/stat`).
    start_time: u64,
    /// Which boot of the machine that was.
    boot: String,
}

impl ProcessIdentity {
    /// The process that has this number now; none if there is none, or only its remains.
    pub(super) fn of(pid: i32) -> Option<Self> {
        let start_time = start_time(pid)?;
        Some(Self {
            pid,
            start_time,
            boot: boot(),
        })
    }

    /// Whether this very process is running. One that has ended and has not been collected by its parent is not.
    pub(super) fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.start_time) && self.boot == boot()
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) -> nix::Result<()> {
        if self.is_alive() {
            gone_is_fine(kill(Pid::from_raw(self.pid), Signal::SIGTERM))
        } else {
            Ok(())
        }
    }

    /// Ends it, and what it has started itself (Python workers), which is in its process group.
    pub(super) fn kill(&self) -> nix::Result<()> {
        if self.is_alive() {
            gone_is_fine(killpg(Pid::from_raw(self.pid), Signal::SIGKILL))
        } else {
            Ok(())
        }
    }
}

/// A process that carries our marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MarkedProcess {
    /// The folder of its cluster.
    pub(super) folder: String,
    /// Its deployment.
    pub(super) deployment: u64,
    /// `jobmanager` or `taskmanager-<n>`.
    pub(super) process: String,
    /// Which one it is.
    pub(super) identity: ProcessIdentity,
}

/// The marks for the command line of one process.
pub(super) fn marks(base: &Path, folder: &str, deployment: u64, process: &str) -> [String; 2] {
    [
        format!("{CLUSTER_MARK}{folder}/{deployment}/{process}"),
        format!("{DIRECTORY_MARK}{}", base.display()),
    ]
}

/// Every running process with the marks of this directory. Looks at each process of the machine once: some milliseconds.
pub(super) fn marked(base: &Path) -> std::io::Result<Vec<MarkedProcess>> {
    let directory = format!("{DIRECTORY_MARK}{}", base.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        // Gone in between, or another user's: neither is ours.
        let Ok(command_line) = fs::read(PathBuf::from(format!("/proc/{pid}/cmdline"))) else {
            continue;
        };
        let mut cluster = None;
        let mut is_here = false;
        // Ours stand before the class path: two arguments of the first few.
        for argument in command_line.split(|byte| *byte == 0).take(8) {
            let argument = String::from_utf8_lossy(argument);
            is_here |= argument == directory;
            cluster = cluster.or_else(|| argument.strip_prefix(CLUSTER_MARK).and_then(read_mark));
        }
        if let (true, Some((folder, deployment, process))) = (is_here, cluster)
            && let Some(identity) = ProcessIdentity::of(pid)
        {
            found.push(MarkedProcess {
                folder,
                deployment,
                process,
                identity,
            });
        }
    }
    Ok(found)
}

fn read_mark(mark: &str) -> Option<(String, u64, String)> {
    let (rest, process) = mark.rsplit_once('/')?;
    let (folder, deployment) = rest.rsplit_once('/')?;
    Some((folder.to_owned(), deployment.parse().ok()?, process.to_owned()))
}

fn gone_is_fine(result: nix::Result<()>) -> nix::Result<()> {
    match result {
        Err(nix::errno::Errno::ESRCH) => Ok(()),
        other => other,
    }
}

fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself have spaces and parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _running => fields.nth(18)?.parse().ok(),
    }
}

fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let own = ProcessIdentity::of(std::process::id().cast_signed()).unwrap();
        assert!(own.is_alive());
        let earlier = ProcessIdentity {
            start_time: own.start_time - 1,
            ..own.clone()
        };
        assert!(!earlier.is_alive());
        let before_the_restart_of_the_machine = ProcessIdentity {
            boot: "another".to_owned(),
            ..own
        };
        assert!(!before_the_restart_of_the_machine.is_alive());
    }

    #[test]
    fn what_has_ended_and_is_not_collected_yet_is_not_alive() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let identity = ProcessIdentity::of(child.id().cast_signed()).unwrap();
        assert!(identity.is_alive());
        child.kill().unwrap();
        while identity.is_alive() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(
            Path::new(&format!("/proc/{}", identity.pid)).exists(),
            "its remains are still listed"
        );
        child.wait().unwrap();
    }
}
