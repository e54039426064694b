//! A runner in a process of its own, which can be killed.

#![allow(dead_code, reason = "each test binary has its own copy and uses a part of it")]

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use sluice_local::client::Client;
use sluice_local::runner::{FAIL_AT, Options};

pub(crate) mod ledger;

/// Says to this test binary, started again, that it is the runner.
const DIRECTORY: &str = "SLUICE_TEST_DIRECTORY";
/// The agent's jar that the runner is to use.
const AGENT: &str = "SLUICE_TEST_AGENT";

/// The runner itself: the test binary starts itself again with only this, so that there is a process to kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the tests start, not a test"]
async fn the_runner_itself() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    tracing_subscriber::fmt()
        .with_env_filter("sluice_local=debug")
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let options = Options {
        agent: std::env::var_os(AGENT).map(PathBuf::from),
        ..Options::default()
    };
    if let Err(error) = sluice_local::runner::run(Path::new(&directory), options).await {
        panic!("{error}");
    }
}

/// A runner's process. It is killed when the test ends.
pub(crate) struct Runner {
    process: Child,
    directory: PathBuf,
}

impl Runner {
    /// Starts the runner of a directory. With `fail_at`, it ends there as if it were killed.
    pub(crate) fn start(directory: &Path, fail_at: Option<&str>) -> Self {
        Self::start_with(directory, None, fail_at)
    }

    /// The same with an agent to deliver.
    pub(crate) fn start_with(directory: &Path, agent: Option<&Path>, fail_at: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--ignored",
                "--exact",
                "support::the_runner_itself",
                "--nocapture",
            ])
            .env(DIRECTORY, directory)
            .env_remove(FAIL_AT)
            .env_remove(AGENT)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(directory));
        if let Some(agent) = agent {
            command.env(AGENT, agent);
        }
        if let Some(point) = fail_at {
            command.env(FAIL_AT, point);
        }
        Self {
            process: command.spawn().unwrap(),
            directory: directory.to_owned(),
        }
    }

    /// The client, as soon as the runner answers.
    pub(crate) async fn client(&mut self) -> Client {
        let begun = Instant::now();
        loop {
            match Client::connect(&self.directory).await {
                Ok(client) => return client,
                Err(error) if begun.elapsed() > Duration::from_secs(20) => panic!("{error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
            assert!(self.process.try_wait().unwrap().is_none(), "{}", self.log());
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let status = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
        self.process.wait().unwrap()
    }

    /// How the process ended, if it does within the time.
    pub(crate) async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(status) = self.process.try_wait().unwrap() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// What the runners of this directory have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("runner.log")).unwrap_or_default()
    }

    /// The resident memory, in kilobytes.
    pub(crate) fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The processor time used so far, in hundredths of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the log of the runner:\n{}", self.log());
        }
    }
}

/// The Java processes that name this directory on their command line.
pub(crate) fn flink_processes(directory: &Path) -> Vec<u32> {
    let directory = directory.canonicalize().unwrap().display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            (line.contains("org.apache.flink") && line.contains(&directory)).then_some(pid)
        })
        .collect()
}

/// Ends them when the test ends, however it ends.
pub(crate) struct FlinkEnds(pub(crate) PathBuf);

impl Drop for FlinkEnds {
    fn drop(&mut self) {
        for pid in flink_processes(&self.0) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

fn log(directory: &Path) -> File {
    std::fs::create_dir_all(directory).unwrap();
    let path = directory.join("runner.log");
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// Asks until the answer is there.
pub(crate) async fn eventually<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            begun.elapsed() < limit,
            "{what} did not come true within {limit:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
