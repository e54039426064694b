//! A control plane of its own, the actors that play Flink in it, and Sluice's operator beside.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;
use sluice_conformance::{Scenario, Stage as Conformance};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::program::{Program, free_port};

/// Where the service account and the lease are.
const NAMESPACE: &str = "sluice";
const ACCOUNT: &str = "operator";
/// How the audit log names it.
const USER: &str = "system:serviceaccount:sluice:operator";

/// The scenes, each in a namespace of its own: what is applied in it, and what its children do.
fn scenes() -> [(&'static str, Value); 4] {
    // As much as a job of some size says.
    let configuration = json!({
        "state.backend.type": "rocksdb",
        "state.backend.incremental": "true",
        "state.backend.rocksdb.memory.managed": "true",
        "execution.checkpointing.interval": "60 s",
        "execution.checkpointing.min-pause": "30 s",
        "execution.checkpointing.timeout": "15 min",
        "execution.checkpointing.tolerable-failed-checkpoints": "3",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "high-availability.type": "kubernetes",
        "high-availability.storageDir": "s3://flink/ha/payments/orders",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.max-backoff": "2 min",
        "taskmanager.numberOfTaskSlots": "4",
        "taskmanager.memory.managed.fraction": "0.5",
        "taskmanager.network.memory.buffer-debloat.enabled": "true",
        "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
        "metrics.reporter.prom.port": "9249",
        "s3.endpoint": "https://s3.eu-central-1.amazonaws.com"
    });
    let stateless = json!({ "upgradeMode": "stateless" });
    let ingress = json!({
        "template": "{{name}}.{{namespace}}.example.com/api(/|$)(.*)",
        "className": "nginx",
        "annotations": { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" }
    });
    [
        (
            "stateless",
            json!([{ "apply": { "job": stateless, "flink": configuration } }]),
        ),
        ("savepoint", json!([{ "apply": { "flink": configuration } }])),
        (
            "ingress",
            json!([{ "apply": { "flink": configuration, "spec": { "ingress": ingress } } }]),
        ),
        (
            "template",
            json!([
                { "children": { "green": { "outcome": "fails", "error": "java.lang.RuntimeException: the new version cannot read its input" } } },
                { "apply": { "job": stateless, "flink": configuration } }
            ]),
        ),
    ]
}

/// Everything that one run needs; nothing of it is left when this is dropped.
pub(super) struct Stage {
    /// The control plane.
    pub(super) plane: ControlPlane,
    /// The administrator's client.
    pub(super) client: Client,
    binary: PathBuf,
    kubeconfig: PathBuf,
    room: TempDir,
    actors: SocketAddr,
    namespaces: BTreeMap<&'static str, String>,
    conformance: Option<Conformance>,
    plays: JoinSet<()>,
}

impl Stage {
    /// Starts the control plane and makes the namespaces; there is no resource yet.
    pub(super) async fn open(binary: &Path) -> Result<Self> {
        let binary = binary
            .canonicalize()
            .with_context(|| format!("{} is not there", binary.display()))?;
        let plane = ControlPlane::private().await?;
        plane.install_crds().await?;
        let client = plane.client().await?;
        let room = tempfile::Builder::new()
            .prefix("sluice-bench-")
            .tempdir()
            .context("no directory can be made for the measurement")?;
        let kubeconfig = account(&plane, &client, room.path()).await?;
        let mut scenarios = Vec::new();
        for (name, steps) in scenes() {
            let mut steps = steps;
            if let Value::Array(steps) = &mut steps {
                // The actors go on as long as the scenario does; the rest is done from here.
                steps.push(json!({ "pause": "24 h" }));
            }
            let scenario = json!({ "name": name, "about": "Measured.", "steps": steps });
            scenarios.push(serde_json::from_value::<Scenario>(scenario)?);
        }
        let options = sluice_conformance::Options::default();
        let conformance = Conformance::set(plane.client().await?, scenarios, options).await?;
        let namespaces = scenes()
            .iter()
            .zip(conformance.namespaces())
            .map(|((name, _), namespace)| (*name, namespace))
            .collect();
        Ok(Self {
            plane,
            client,
            binary,
            kubeconfig,
            room,
            actors: conformance.address(),
            namespaces,
            conformance: Some(conformance),
            plays: JoinSet::new(),
        })
    }

    /// The namespace of a scene.
    pub(super) fn namespace(&self, scene: &str) -> Result<&str> {
        let namespace = self.namespaces.get(scene);
        namespace
            .map(String::as_str)
            .with_context(|| format!("there is no scene {scene}"))
    }

    /// Applies the resource of each scene; from now on the actors act. Only within a [`tokio::task::LocalSet`].
    pub(super) fn play(&mut self) {
        if let Some(conformance) = self.conformance.take() {
            self.plays.spawn_local(async move {
                let told = |outcome: &sluice_conformance::Outcome| eprintln!("{}", outcome.story());
                conformance.play(told).await;
            });
        }
    }

    /// Starts the operator, for all namespaces, with its lease. Returns how long it took to be ready.
    pub(super) async fn start(&self) -> Result<(Program, Duration)> {
        let port = free_port()?;
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["--lease-namespace", NAMESPACE, "--flink-deployments", "external"])
            .arg(format!("--listen=127.0.0.1:{port}"))
            .arg(format!(
                "--rest-address=http://{}/{{namespace}}/{{name}}",
                self.actors
            ));
        Program::start(command, port, "/readyz", &self.room.path().join("operator.log")).await
    }

    /// Where a child's JobManager answers.
    pub(super) fn job_manager(&self, namespace: &str, child: &str) -> String {
        format!("http://{}/{namespace}/{child}", self.actors)
    }

    /// How the audit log names the operator.
    pub(super) const fn user() -> &'static str {
        USER
    }
}

/// A service account that may do everything, as its kubeconfig.
pub(super) async fn account(plane: &ControlPlane, client: &Client, directory: &Path) -> Result<PathBuf> {
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
    namespaces.create(&PostParams::default(), &namespace).await?;
    let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta {
            name: Some("sluice-bench".to_owned()),
            ..ObjectMeta::default()
        },
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "ClusterRole".to_owned(),
            name: "cluster-admin".to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: ACCOUNT.to_owned(),
            namespace: Some(NAMESPACE.to_owned()),
            ..Subject::default()
        }]),
    };
    bindings.create(&PostParams::default(), &binding).await?;
    plane
        .service_account_kubeconfig(NAMESPACE, ACCOUNT, directory)
        .await
}
