//! One resource in a namespace of its own, what people do to it, and what comes of it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;

use crate::job_managers::{Asked, JobManagers};
use crate::kinds::{blue_greens, flink_deployments};

/// How long one step may take: upstream's operator needs seconds for each, and more on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(150);
const NAME: &str = "orders";

pub struct Story {
    client: Client,
    pub namespace: String,
    managers: JobManagers,
    begun: Instant,
}

impl Story {
    pub async fn in_namespace(plane: &ControlPlane, managers: &JobManagers, prefix: &str) -> Self {
        let client = plane.client().await.unwrap();
        let namespace = plane.namespace(prefix).await.unwrap();
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
        // The job's; there is no controller that would make one.
        let account = serde_json::from_value(json!({ "metadata": { "name": "flink" } })).unwrap();
        accounts.create(&PostParams::default(), &account).await.unwrap();
        Self {
            client,
            namespace,
            managers: managers.clone(),
            begun: Instant::now(),
        }
    }

    /// Applies the resource; `fields` are laid over `spec`.
    pub async fn apply(&self, port: u16, fields: Value) {
        let mut resource = json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkBlueGreenDeployment",
            "metadata": { "name": NAME },
            "spec": {
                "template": { "spec": {
                    "image": "orders:1",
                    "flinkVersion": "v1_18",
                    "serviceAccount": "flink",
                    "flinkConfiguration": {
                        "rest.port": port.to_string(),
                        "state.savepoints.dir": "s3://flink/savepoints",
                        "state.checkpoints.dir": "s3://flink/checkpoints",
                    },
                    "jobManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                    "taskManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                    "job": { "jarURI": "local:///opt/flink/usrlib/orders.jar", "parallelism": 1, "upgradeMode": "savepoint" },
                }},
            },
        });
        merge(&mut resource["spec"], &fields);
        let resource = serde_json::from_value(resource).unwrap();
        let api = blue_greens(&self.client, &self.namespace);
        api.create(&PostParams::default(), &resource).await.unwrap();
    }

    /// Edits `spec.template.spec`.
    pub async fn edit(&self, fields: Value) {
        self.patch(json!({ "template": { "spec": fields } })).await;
    }

    /// Edits `spec.configuration`.
    pub async fn configure(&self, fields: Value) {
        self.patch(json!({ "configuration": fields })).await;
    }

    async fn patch(&self, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let api = blue_greens(&self.client, &self.namespace);
        api.patch(NAME, &PatchParams::default(), &patch).await.unwrap();
    }

    /// The resource.
    pub async fn resource(&self) -> Value {
        let api = blue_greens(&self.client, &self.namespace);
        serde_json::to_value(api.get(NAME).await.unwrap()).unwrap()
    }

    /// A child; null: there is none.
    pub async fn child(&self, color: &str) -> Value {
        let api = flink_deployments(&self.client, Some(&self.namespace));
        let found = api.get_opt(&format!("{NAME}-{color}")).await.unwrap();
        found.map_or(Value::Null, |child| serde_json::to_value(child).unwrap())
    }

    /// What the child's cluster was started from.
    pub fn restored(&self, color: &str) -> Option<String> {
        let child = format!("{NAME}-{color}");
        self.managers.cluster(&self.namespace, &child)?.restored
    }

    /// The id of the child's job.
    pub fn job(&self, color: &str) -> Option<String> {
        let child = format!("{NAME}-{color}");
        Some(self.managers.cluster(&self.namespace, &child)?.job)
    }

    /// The requests to the children's JobManagers whose last part is `what`.
    pub fn asked(&self, what: &str) -> Vec<Asked> {
        let mut asked = self.managers.asked(&self.namespace);
        asked.retain(|asked| asked.what.ends_with(what));
        asked
    }

    /// Waits until the resource is in this state with its job in that one, and returns it.
    pub async fn until(&self, state: &str, job: &str) -> Value {
        self.until_resource(&format!("{state}, {job}"), |resource| {
            text(resource, "/status/blueGreenState") == state
                && text(resource, "/status/jobStatus/state") == job
        })
        .await
    }

    /// Waits until the resource is as `holds` says, and returns it.
    pub async fn until_resource(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let resource = self.resource().await;
            if holds(&resource) {
                let (all, this) = (self.begun.elapsed(), begun.elapsed());
                println!("{all:8.1?} {}: {what} after {this:.1?}", self.namespace);
                self.record(what).await;
                return resource;
            }
            if begun.elapsed() > PATIENCE {
                self.give_up(what, &resource).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Writes down what the children look like, for the tests of the core: `SLUICE_RECORD_CHILDREN` names a directory.
    async fn record(&self, what: &str) {
        let Ok(directory) = std::env::var("SLUICE_RECORD_CHILDREN") else {
            return;
        };
        for color in ["blue", "green"] {
            let child = self.child(color).await;
            let file = format!("{directory}/{} {what}, {color}.json", self.namespace);
            std::fs::write(file, serde_json::to_string_pretty(&child).unwrap()).unwrap();
        }
    }

    async fn give_up(&self, what: &str, resource: &Value) -> ! {
        let mut words = format!("{}: not {what} in {PATIENCE:?}\n", self.namespace);
        writeln!(words, "the resource: {}", resource["status"]).unwrap();
        let api = flink_deployments(&self.client, Some(&self.namespace));
        for child in api.list(&kube::api::ListParams::default()).await.unwrap() {
            writeln!(words, "{}: {}", child.name_any(), child.data).unwrap();
        }
        for asked in self.managers.asked(&self.namespace) {
            writeln!(words, "{asked:?}").unwrap();
        }
        panic!("{words}")
    }

    /// Waits until a child is gone.
    pub async fn until_gone(&self, color: &str) {
        let begun = Instant::now();
        while !self.child(color).await.is_null() {
            if begun.elapsed() > PATIENCE {
                self.give_up(&format!("without {color}"), &self.resource().await)
                    .await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The text at a JSON pointer; empty where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn merge(into: &mut Value, fields: &Value) {
    match (into, fields) {
        (Value::Object(into), Value::Object(fields)) => {
            for (key, value) in fields {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, fields) => *into = fields.clone(),
    }
}
