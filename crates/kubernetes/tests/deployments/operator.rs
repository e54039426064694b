//! The operator as a process.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use sluice_cluster::ControlPlane;

/// Ends with the test, however it ends.
pub(crate) struct Operator {
    process: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts it on one namespace, with FlinkDeployments of its own.
    pub(crate) fn start(plane: &ControlPlane, namespace: &str, job_managers: &str) -> Self {
        let log = std::env::temp_dir().join(format!("sluice-{namespace}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_sluice-operator"))
            .arg("--kubeconfig")
            .arg(plane.kubeconfig())
            .args(["--watch-namespaces", namespace])
            .args(["--rest-address", job_managers])
            .args(["--flink-deployments", "managed"])
            .args(["--leader-election=false", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::from(file.try_clone().unwrap()))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        Self { process, log }
    }

    /// What it has logged, for a test that fails.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it, as a node that loses power does.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
        if !std::thread::panicking() {
            let _ = std::fs::remove_file(&self.log);
        }
    }
}
