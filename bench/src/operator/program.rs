//! An operator as a process: started, watched until it says that it is ready, ended.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often it is asked whether it is ready.
const LOOK: Duration = Duration::from_millis(1);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long it may take to be ready.
const START: Duration = Duration::from_mins(3);
/// How long it may take to end once it is told to.
const END: Duration = Duration::from_secs(40);

/// A running operator; it is killed when this is dropped.
pub(super) struct Program {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Program {
    /// Starts a command that serves HTTP on `port`, and waits until it answers 200 to `path`. Returns how long that took from
    /// just before the process was made.
    pub(super) async fn start(
        mut command: Command,
        port: u16,
        path: &'static str,
        log: &Path,
    ) -> Result<(Self, Duration)> {
        let file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
        let mut program = Self {
            child,
            port,
            log: log.to_owned(),
        };
        loop {
            let answer = tokio::task::spawn_blocking(move || get(port, path)).await?;
            if let Ok((200, _)) = answer {
                return Ok((program, started.elapsed()));
            }
            if let Some(status) = program.child.try_wait()? {
                bail!("the operator has ended ({status}):\n{}", program.last_lines());
            }
            if started.elapsed() > START {
                bail!(
                    "the operator is not ready within {} s:\n{}",
                    START.as_secs(),
                    program.last_lines()
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Its process.
    pub(super) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// What it answers to a GET.
    pub(super) async fn ask(&self, path: &'static str) -> Result<String> {
        let port = self.port;
        let (status, body) = tokio::task::spawn_blocking(move || get(port, path)).await??;
        anyhow::ensure!(status == 200, "{path} was answered with {status}: {body}");
        Ok(body)
    }

    /// Tells it to end, and waits until it has.
    pub(super) async fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?;
        let told = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(
                told.elapsed() < END,
                "the operator did not end within {} s:\n{}",
                END.as_secs(),
                self.last_lines()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The end of its log.
    pub(super) fn last_lines(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(20);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A port that nobody listens on at this moment.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// The status and the body. A connection of its own each time: nothing of it is to be there before the process is.
fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    // Not every server closes the connection after its answer.
    while !is_whole(&answer) {
        match stream.read(&mut chunk)? {
            0 => break,
            read => answer.extend(chunk.iter().take(read)),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok((status.context("the answer has no status")?, body.to_owned()))
}

/// Whether the answer has the length that it names itself.
fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        value.trim().parse::<usize>().ok().filter(|_| is_length)
    });
    length.is_some_and(|length| body.len() >= length)
}
