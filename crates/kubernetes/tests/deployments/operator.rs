//! The operator as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;

/// Ends with the test, however it ends.
pub(crate) struct Operator {
    process: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts it on one namespace, with FlinkDeployments of its own, as a service account with the permissions that
    /// docs/flink-deployments.md names, and those of the operator of blue/green resources.
    pub(crate) fn start(kubeconfig: &Path, namespace: &str, job_managers: &str) -> Self {
        let log = std::env::temp_dir().join(format!("sluice-{namespace}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_sluice-operator"))
            .arg("--kubeconfig")
            .arg(kubeconfig)
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

/// The rows of the table in docs/flink-deployments.md.
fn documented() -> Vec<Value> {
    let page = include_str!("../../../../docs/flink-deployments.md");
    let mut rules = Vec::new();
    for line in page.lines() {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let [_, group, resource, verbs, ..] = cells.as_slice() else {
            continue;
        };
        let verbs: Vec<&str> = verbs.split(", ").collect();
        let is_rule = verbs
            .iter()
            .all(|verb| ["get", "list", "watch", "create", "update", "patch", "delete"].contains(verb));
        if is_rule {
            let group = if group == "core" { "" } else { group };
            rules.push(json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs }));
        }
    }
    assert!(rules.len() >= 7, "{rules:?}");
    rules
}

/// The kubeconfig of a service account that may do what is documented, and nothing else.
pub(crate) async fn permitted(
    plane: &ControlPlane,
    client: &Client,
    namespace: &str,
    directory: &Path,
) -> PathBuf {
    let mut rules = documented();
    // What it may do with blue/green resources in any case.
    rules.push(json!({
        "apiGroups": ["flink.apache.org"], "resources": ["flinkbluegreendeployments", "flinkdeployments"],
        "verbs": ["get", "list", "watch"],
    }));
    rules.push(json!({ "apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["get", "list", "watch", "create", "patch", "delete"] }));
    rules.push(json!({ "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"] }));
    let role: Role =
        serde_json::from_value(json!({ "metadata": { "name": "operator" }, "rules": rules })).unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": "operator" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator" },
        "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": namespace }],
    }))
    .unwrap();
    let parameters = PostParams::default();
    Api::<Role>::namespaced(client.clone(), namespace)
        .create(&parameters, &role)
        .await
        .unwrap();
    Api::<RoleBinding>::namespaced(client.clone(), namespace)
        .create(&parameters, &binding)
        .await
        .unwrap();
    plane
        .service_account_kubeconfig(namespace, "operator", directory)
        .await
        .unwrap()
}
