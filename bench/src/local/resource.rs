//! The jobs of the measurement: the ledger job with nothing to read, in as little memory as Flink runs in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// One of the jobs.
#[derive(Clone, Debug)]
pub(super) struct Job {
    name: String,
    jar: PathBuf,
    files: PathBuf,
}

impl Job {
    /// Job number `number`, with its files below `files`.
    pub(super) fn new(number: usize, jar: &Path, files: &Path) -> Result<Self> {
        let name = format!("idle-{number:02}");
        let files = files.join(&name);
        let input = files.join("in");
        fs::create_dir_all(&input).with_context(|| format!("{} cannot be made", input.display()))?;
        fs::write(input.join("split-0.log"), "0,account-1,5,1000\n")?;
        Ok(Self {
            name,
            jar: jar.to_owned(),
            files,
        })
    }

    /// The name of its resource.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name of its child of this colour (`blue` or `green`).
    pub(super) fn child(&self, color: &str) -> String {
        format!("{}-{color}", self.name)
    }

    /// The resource; a different `label` is a new version of the job.
    pub(super) fn document(&self, label: &str) -> Value {
        let uri = |name: &str| format!("file://{}", self.files.join(name).display());
        json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkBlueGreenDeployment",
            "metadata": {"name": self.name},
            "spec": {
                "configuration": {
                    // What is measured is not whether a busy machine starts a JVM in time.
                    "kubernetes.operator.bluegreen.abort.grace-period": "5 min",
                    "kubernetes.operator.bluegreen.deployment-deletion.delay": "0 ms"
                },
                "template": {"spec": {
                    "flinkVersion": "v1_20",
                    "flinkConfiguration": {
                        "execution.checkpointing.interval": "10 s",
                        "state.checkpoints.dir": uri("checkpoints"),
                        "jobmanager.memory.jvm-overhead.min": "64m",
                        "jobmanager.memory.jvm-metaspace.size": "112m",
                        "jobmanager.memory.off-heap.size": "48m",
                        "taskmanager.memory.framework.heap.size": "48m",
                        "taskmanager.memory.framework.off-heap.size": "32m",
                        "taskmanager.memory.managed.size": "0",
                        "taskmanager.memory.network.min": "8m",
                        "taskmanager.memory.network.max": "8m",
                        "taskmanager.memory.segment-size": "8kb",
                        "taskmanager.memory.jvm-metaspace.size": "96m",
                        "taskmanager.memory.jvm-overhead.min": "64m",
                        "taskmanager.numberOfTaskSlots": "1"
                    },
                    "jobManager": {"resource": {"memory": "420m", "cpu": 0.1}},
                    "taskManager": {"resource": {"memory": "400m", "cpu": 0.1}},
                    "job": {
                        "jarURI": format!("file://{}", self.jar.display()),
                        "parallelism": 1,
                        "upgradeMode": "stateless",
                        "args": [
                            "--input", self.files.join("in").display().to_string(),
                            "--output", self.files.join("out").display().to_string(),
                            "--splits", "1",
                            "--label", label
                        ]
                    }
                }}
            }
        })
    }
}
