//! Processes that outlive the one that starts them, and how they are told from others that got their number later.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process, and never another one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since the machine did (field 22 of `/proc/<pid>/stat`).
    started: u64,
    /// Which start of the machine that was.
    boot: String,
}

impl Process {
    /// Starts a program in a process group of its own, so that an interrupt at the terminal does not reach it. Its output
    /// is added to the log.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("The log {} could not be opened.", log.display()))?;
        let errors = output.try_clone().context("A log could not be opened twice.")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // What this process has in its environment would be settings to etcd (`ETCD_...`).
            .env_clear()
            .process_group(0)
            .spawn()
            .with_context(|| format!("{program} could not be started."))?;
        i32::try_from(child.id())
            .ok()
            .and_then(Self::with_pid)
            .with_context(|| format!("{program} ended at once; see {}.", log.display()))
    }

    /// The process that runs this code.
    pub(crate) fn own() -> Result<Self> {
        i32::try_from(std::process::id())
            .ok()
            .and_then(Self::with_pid)
            .context("This process is not in /proc; the control plane for tests needs Linux.")
    }

    fn with_pid(pid: i32) -> Option<Self> {
        Some(Self {
            pid,
            started: stat(pid)?.started,
            boot: boot(),
        })
    }

    /// Whether it runs; one that ended and was not waited for does not.
    pub fn is_alive(&self) -> bool {
        self.boot == boot() && stat(self.pid).is_some_and(|it| it.started == self.started && !it.ended)
    }

    /// The memory that it has in use now, in bytes; `None` if it does not run.
    pub fn resident_memory(&self) -> Option<u64> {
        if !self.is_alive() {
            return None;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Asks it to end, and makes it when it has not after `patience`. Returns when it is gone.
    pub(crate) fn stop(&self, patience: Duration) {
        self.send(Signal::SIGTERM);
        if !self.is_gone_within(patience) {
            self.kill();
        }
    }

    /// Ends it without a word. Returns when it is gone.
    pub(crate) fn kill(&self) {
        self.send(Signal::SIGKILL);
        self.is_gone_within(Duration::from_secs(10));
    }

    fn send(&self, signal: Signal) {
        if self.is_alive() {
            // It may have ended in between, which is as well.
            let _ = signal::kill(Pid::from_raw(self.pid), signal);
        }
    }

    fn is_gone_within(&self, patience: Duration) -> bool {
        let started = Instant::now();
        while self.is_alive() {
            if started.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

struct Stat {
    started: u64,
    ended: bool,
}

/// `proc_pid_stat(5)`: the name in the second field is in parentheses and may hold anything, spaces too.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    // The state is field 3; 18 fields stand between it and field 22.
    let started = fields.nth(18)?.parse().ok()?;
    Some(Stat {
        started,
        ended: matches!(state, "Z" | "X"),
    })
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
    fn a_process_that_got_the_number_of_another_is_not_taken_for_it() {
        let own = Process::own().unwrap();
        assert!(own.is_alive());
        let earlier = Process {
            started: own.started - 1,
            ..own.clone()
        };
        assert!(!earlier.is_alive());
        // Would end this test if it took the number for the process.
        earlier.kill();
        let before_a_reboot = Process {
            boot: "another".to_owned(),
            ..own
        };
        assert!(!before_a_reboot.is_alive());
    }

    #[test]
    fn a_started_process_runs_until_it_is_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let process = Process::start(
            Command::new("/bin/sh").args(["-c", "echo here; exec sleep 600"]),
            &directory.path().join("log"),
        )
        .unwrap();
        assert!(process.is_alive());
        assert!(process.resident_memory().unwrap() > 0);
        process.stop(Duration::from_secs(5));
        assert!(!process.is_alive());
        assert_eq!(process.resident_memory(), None);
    }
}
