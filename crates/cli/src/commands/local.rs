//! `sluice local`.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use sluice_local::client::{Client, ClientError};

use crate::context::Context;
use crate::failure::Failure;
use crate::runner::failed;

/// Start or stop the runner: Flink on this machine, without Kubernetes
///
/// The runner keeps the resources of one directory and starts and stops their Flink processes. Only one runner serves a
/// directory; several directories can be served side by side.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the runner in the background
    #[command(after_help = "Examples:
  sluice local up
  sluice local up --directory /tmp/try
  sluice -v local up --foreground")]
    Up {
        /// Stay in the foreground and log to standard error
        #[arg(long)]
        foreground: bool,

        /// The jar of the agent: with it, a new version in ADVANCED mode comes up before the old one is stopped
        #[arg(long, value_name = "PATH", env = "SLUICE_AGENT_JAR")]
        agent_jar: Option<PathBuf>,
    },
    /// Stop the runner and its Flink processes
    ///
    /// The jobs end without a savepoint and start again from their last checkpoint with the next `sluice local up`. To keep
    /// exact state, set `job.state: suspended` first.
    #[command(after_help = "Examples:
  sluice local down
  sluice local down --keep-jobs    the jobs run on; the next `up` finds them")]
    Down {
        /// Leave the Flink processes running
        #[arg(long)]
        keep_jobs: bool,
    },
}

/// How long a runner may take until it answers, or is gone: it looks at every process that it had.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(50);

/// The log of a runner in the background, in its directory.
const LOG: &str = "runner.log";

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    context.this_machine("local")?;
    let directory = context.directory()?;
    match arguments.command {
        Command::Up {
            foreground: true,
            agent_jar,
        } => serve(&directory, agent_jar).await,
        Command::Up {
            foreground: false,
            agent_jar,
        } => {
            if let Ok(client) = Client::connect(&directory).await {
                let info = client.info().await.map_err(failed)?;
                return context.out.line(&format!(
                    "The runner is up already on {} (process {}).",
                    directory.display(),
                    info.pid
                ));
            }
            let runner = start(&directory, agent_jar.as_deref(), context.verbose).await?;
            context.out.line(&format!(
                "The runner is up on {} (process {}, log {}).",
                directory.display(),
                runner.id(),
                directory.join(LOG).display()
            ))
        }
        Command::Down { keep_jobs } => {
            stop(&directory, !keep_jobs).await?;
            context
                .out
                .line(&format!("The runner on {} is down.", directory.display()))
        }
    }
}

/// Runs the runner in this process until it is told to end.
async fn serve(directory: &Path, agent_jar: Option<PathBuf>) -> Result<(), Failure> {
    let options = sluice_local::runner::Options {
        agent: agent_jar,
        ..sluice_local::runner::Options::default()
    };
    sluice_local::runner::run(directory, options)
        .await
        .map_err(Failure::refused)
}

/// Starts a runner in the background and waits until it answers.
pub(crate) async fn start(directory: &Path, agent_jar: Option<&Path>, verbose: u8) -> Result<Child, Failure> {
    let not_made = |error: std::io::Error| {
        Failure::refused(format!(
            "The directory {} cannot be used: {error}.",
            directory.display()
        ))
    };
    fs::create_dir_all(directory).map_err(not_made)?;
    let log = directory.join(LOG);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(not_made)?;
    let begin = file.metadata().map_err(not_made)?.len();
    let mut runner = Unanswered(Some(spawn(directory, agent_jar, verbose, file)?));
    let started = Instant::now();
    loop {
        match Client::connect(directory).await {
            Ok(_) => return runner.answers(),
            Err(ClientError::NotRunning { .. } | ClientError::NoAnswer { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        if runner.has_ended() {
            return Err(Failure::refused(last_words(&log, begin)));
        }
        if started.elapsed() > PATIENCE {
            return Err(Failure::TimedOut(format!(
                "The runner does not answer after {} s; its log is {}.",
                PATIENCE.as_secs(),
                log.display()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A runner that has not answered yet. Dropped so, it is killed: one that nobody waits for any more would be forgotten.
struct Unanswered(Option<Child>);

impl Unanswered {
    fn has_ended(&mut self) -> bool {
        self.0
            .as_mut()
            .is_none_or(|child| matches!(child.try_wait(), Ok(Some(_))))
    }

    fn answers(mut self) -> Result<Child, Failure> {
        self.0
            .take()
            .ok_or_else(|| Failure::refused("The runner has ended at once."))
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _killed = child.kill();
            let _ended = child.wait();
        }
    }
}

/// This program once more, in a process group of its own so that Ctrl-C in this terminal does not reach it.
fn spawn(directory: &Path, agent_jar: Option<&Path>, verbose: u8, log: fs::File) -> Result<Child, Failure> {
    use std::os::unix::process::CommandExt;
    let failed = |error: std::io::Error| Failure::refused(format!("The runner cannot be started: {error}."));
    let program: PathBuf = std::env::current_exe().map_err(failed)?;
    let mut process = Process::new(program);
    process
        .args(["local", "up", "--foreground", "--directory"])
        .arg(directory);
    if let Some(jar) = agent_jar {
        process.arg("--agent-jar").arg(jar);
    }
    // In the background the log is all there is, so it tells what happens.
    process.args(std::iter::repeat_n("-v", usize::from(verbose.max(1))));
    process
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(failed)
}

/// What a runner that has ended said last, since `begin`.
fn last_words(log: &Path, begin: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let skipped = usize::try_from(begin).unwrap_or(0).min(text.len());
    let said = String::from_utf8_lossy(text.get(skipped..).unwrap_or_default()).into_owned();
    let last = said
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    match last.strip_prefix("sluice: ") {
        Some(sentence) => sentence.to_owned(),
        None => format!("The runner ended at once; its log is {}: {last}", log.display()),
    }
}

/// Stops a runner of ours with its jobs, whatever state it is in. One that does not answer is killed, and a fresh one, which
/// finds the jobs of the old, stops them.
pub(crate) async fn clear_away(directory: &Path, mut runner: Child, verbose: u8) -> Result<(), Failure> {
    if stop(directory, true).await.is_ok() {
        // It has ended; this is for the process table alone.
        let _ended = runner.wait();
        return Ok(());
    }
    let _killed = runner.kill();
    let _ended = runner.wait();
    // It only stops what is there.
    let mut fresh = start(directory, None, verbose).await?;
    let stopped = stop(directory, true).await;
    if stopped.is_err() {
        let _killed = fresh.kill();
    }
    let _ended = fresh.wait();
    stopped
}

/// Stops the runner and waits until its process is gone.
pub(crate) async fn stop(directory: &Path, stop_jobs: bool) -> Result<(), Failure> {
    let client = Client::connect(directory).await.map_err(failed)?;
    let pid = client.info().await.map_err(failed)?.pid;
    client.shutdown(stop_jobs).await.map_err(failed)?;
    let started = Instant::now();
    while Path::new("/proc")
        .join(pid.to_string())
        .join("exe")
        .read_link()
        .is_ok()
    {
        if started.elapsed() > PATIENCE {
            return Err(Failure::TimedOut(format!(
                "The runner (process {pid}) is still ending after {} s; its log is {}.",
                PATIENCE.as_secs(),
                directory.join(LOG).display()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
