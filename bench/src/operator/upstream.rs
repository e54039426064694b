//! Upstream's operator 1.7.0 beside: the newest whose jars are published. It knows no blue/green resources; what it needs to
//! start and to stand idle can be measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::wait::{await_condition, conditions};
use sluice_cluster::ControlPlane;

use super::program::{Program, free_port};
use super::stage;
use crate::figures::median;
use crate::machine::{self, Memory};

/// What was measured of it.
pub(super) struct Upstream {
    /// From the process to the first good answer of its health probe, median.
    pub(super) ready: Duration,
    /// Its memory while it has nothing to do.
    pub(super) memory: Memory,
}

/// Starts it some times over on a control plane of its own. `directory` has its jars in `lib`, and its definitions in
/// `crds/META-INF/fabric8`.
pub(super) async fn measure(directory: &Path, starts: usize, settle: Duration) -> Result<Upstream> {
    let directory = directory
        .canonicalize()
        .with_context(|| format!("{} is not there", directory.display()))?;
    let plane = ControlPlane::private().await?;
    let client = plane.client().await?;
    let room = tempfile::tempdir()?;
    let kubeconfig = stage::account(&plane, &client, room.path()).await?;
    install(&Api::all(client), &directory.join("crds/META-INF/fabric8")).await?;
    let mut times = Vec::new();
    let mut memory = Memory::default();
    for number in 1..=starts {
        let port = free_port()?;
        fs::write(
            room.path().join("flink-conf.yaml"),
            format!("kubernetes.operator.health.probe.port: {port}\n"),
        )?;
        let mut command = Command::new("java");
        // As its image starts it: no options of the JVM but the class path.
        command
            .arg("-cp")
            .arg(directory.join("lib/*"))
            .arg("org.apache.flink.kubernetes.operator.FlinkOperator")
            .env("KUBECONFIG", &kubeconfig)
            .env("FLINK_CONF_DIR", room.path())
            .env("OPERATOR_NAMESPACE", "default")
            .env_remove("JAVA_TOOL_OPTIONS")
            .current_dir(room.path());
        let (program, time) = Program::start(command, port, "/", &room.path().join("upstream.log")).await?;
        println!("upstream's operator is ready after {time:.1?}");
        times.push(time);
        if number == starts {
            let begun = Instant::now();
            while begun.elapsed() < settle {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let now = machine::memory(program.pid())?;
                if now.resident > memory.resident {
                    memory = now;
                }
            }
        }
        program.stop().await?;
    }
    Ok(Upstream {
        ready: median(times),
        memory,
    })
}

async fn install(definitions: &Api<CustomResourceDefinition>, directory: &Path) -> Result<()> {
    let problem = || format!("upstream's definitions in {} cannot be read", directory.display());
    for entry in fs::read_dir(directory).with_context(problem)? {
        let text = fs::read_to_string(entry?.path()).with_context(problem)?;
        let definition: CustomResourceDefinition = serde_saphyr::from_str(&text).with_context(problem)?;
        let made = definitions.create(&PostParams::default(), &definition).await?;
        let name = made.metadata.name.unwrap_or_default();
        await_condition(definitions.clone(), &name, conditions::is_crd_established()).await?;
    }
    Ok(())
}
