//! A runner on a directory of its own, and the certainty that nothing of it is left when the measurement ends.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use sluice_local::client::Client;
use sluice_local::store::{DEFAULT_NAMESPACE, Kind};
use tempfile::TempDir;

use super::processes;
use super::resource::Job;

/// How long the runner may take until it answers.
const START: Duration = Duration::from_secs(30);
/// How long a job may take until its resource is active; ten seconds as a rule, and the machine may be busy.
const ACTIVE: Duration = Duration::from_mins(4);
/// How long the runner may take to end with its jobs.
const END: Duration = Duration::from_secs(40);

const LOOK: Duration = Duration::from_millis(100);

/// A runner and its directory.
pub(super) struct Stage {
    runner: Child,
    room: TempDir,
    directory: PathBuf,
    client: Client,
}

impl Stage {
    /// Starts a runner and waits until it answers.
    pub(super) async fn open(sluice: &Path) -> Result<Self> {
        let room = tempfile::Builder::new()
            .prefix("sluice-bench-")
            .tempdir()
            .context("no directory can be made for the measurement")?;
        let directory = room.path().canonicalize()?.join("runner");
        fs::create_dir(&directory)?;
        let log = File::create(room.path().join("runner.log"))?;
        let mut runner = Command::new(sluice)
            .args(["-v", "local", "up", "--foreground", "--directory"])
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us; we end the runner.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", sluice.display()))?;
        let started = Instant::now();
        let client = loop {
            match Client::connect(&directory).await {
                Ok(client) => break client,
                Err(error) if started.elapsed() > START || !matches!(runner.try_wait(), Ok(None)) => {
                    let _gone_already = runner.kill();
                    let _ended = runner.wait();
                    let log = fs::read_to_string(room.path().join("runner.log")).unwrap_or_default();
                    bail!("the runner does not answer: {error}\n{log}");
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        };
        Ok(Self {
            runner,
            room,
            directory,
            client,
        })
    }

    /// The runner's directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where jobs keep their files.
    pub(super) fn files(&self) -> PathBuf {
        self.room.path().join("jobs")
    }

    /// The client of the runner.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// The runner's process.
    pub(super) fn runner(&self) -> i32 {
        self.runner.id().cast_signed()
    }

    /// Waits until each of the resources is active in this colour (`BLUE` or `GREEN`) and nothing else of it runs.
    pub(super) async fn wait_until_active(&mut self, jobs: &[Job], color: &str) -> Result<()> {
        let wanted = format!("ACTIVE_{color}");
        let started = Instant::now();
        loop {
            if let Ok(Some(status)) = self.runner.try_wait() {
                bail!("the runner has ended ({status}):\n{}", self.log());
            }
            let mut missing = Vec::new();
            for job in jobs {
                let resource = self
                    .client
                    .get(Kind::FlinkBlueGreenDeployment, DEFAULT_NAMESPACE, job.name())
                    .await?;
                let state = resource
                    .pointer("/status/blueGreenState")
                    .and_then(Value::as_str)
                    .unwrap_or("no state");
                if state != wanted {
                    missing.push(format!("{} ({state})", job.name()));
                }
            }
            let others = processes::flink(&self.directory, &HashSet::new())?
                .iter()
                .filter(|process| {
                    jobs.iter()
                        .any(|job| process.belongs_to(&job.child(other(color))))
                })
                .count();
            if missing.is_empty() && others == 0 {
                return Ok(());
            }
            ensure!(
                started.elapsed() < ACTIVE,
                "not {wanted} within {} s: {}; {others} processes of the other colour run\n{}",
                ACTIVE.as_secs(),
                missing.join(", "),
                self.log()
            );
            tokio::time::sleep(LOOK * 2).await;
        }
    }

    /// Ends the runner and its jobs.
    pub(super) async fn close(mut self) -> Result<()> {
        self.client.shutdown(true).await?;
        let started = Instant::now();
        while let Ok(None) = self.runner.try_wait() {
            ensure!(
                started.elapsed() < END,
                "the runner did not end within {} s",
                END.as_secs()
            );
            tokio::time::sleep(LOOK).await;
        }
        let left = processes::flink(&self.directory, &HashSet::new())?;
        ensure!(
            left.is_empty(),
            "the runner left Flink processes behind: {left:?}"
        );
        Ok(())
    }

    fn log(&self) -> String {
        let text = fs::read_to_string(self.room.path().join("runner.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(30)..)
            .unwrap_or_default()
            .join("\n")
    }
}

/// Whatever went wrong before: nothing is left running, and the directory goes with its [`TempDir`].
impl Drop for Stage {
    fn drop(&mut self) {
        let _gone_already = self.runner.kill();
        let _ended = self.runner.wait();
        let begun = Instant::now();
        while let Ok(left) = processes::flink(&self.directory, &HashSet::new())
            && !left.is_empty()
            && begun.elapsed() < Duration::from_secs(10)
        {
            for process in left {
                let _gone_already = killpg(Pid::from_raw(process.pid), Signal::SIGKILL);
            }
            std::thread::sleep(LOOK);
        }
    }
}

fn other(color: &str) -> &'static str {
    if color == "BLUE" { "green" } else { "blue" }
}
