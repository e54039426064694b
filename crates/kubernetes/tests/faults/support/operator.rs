//! An operator as a process.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Started, killed and started again, with the same arguments and one log.
#[derive(Clone)]
pub struct Operator {
    arguments: Vec<String>,
    log: PathBuf,
    child: Arc<Mutex<Option<Child>>>,
}

impl Operator {
    /// Not started yet.
    pub fn new(arguments: Vec<String>, log: PathBuf) -> Self {
        File::create(&log).unwrap();
        Self {
            arguments,
            log,
            child: Arc::default(),
        }
    }

    pub fn start(&self) {
        let log = OpenOptions::new().append(true).open(&self.log).unwrap();
        // Another build, such as the one that is shipped, may be named.
        let program = std::env::var_os("SLUICE_OPERATOR")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_sluice-operator").into());
        let child = Command::new(program)
            .args(&self.arguments)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let before = self.lock().replace(child);
        assert!(before.is_none(), "it runs already");
    }

    /// SIGKILL; returns when it is dead.
    pub fn kill(&self) {
        if let Some(mut child) = self.lock().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; returns how long it took to end.
    pub async fn terminate(&self) -> Duration {
        let began = Instant::now();
        let pid = self.lock().as_ref().map(Child::id).unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        loop {
            let ended = self
                .lock()
                .as_mut()
                .is_none_or(|child| child.try_wait().unwrap().is_some());
            if ended {
                self.lock().take();
                return began.elapsed();
            }
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "SIGTERM does not end it"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it runs, and has not ended by itself.
    pub fn runs(&self) -> bool {
        self.lock()
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(Path::new(&self.log)).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the process with the test, however that ends.
pub struct Ends(pub Operator);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill();
    }
}
