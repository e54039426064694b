//! A namespace of a real API server with the fixtures of the views in it, and the program that looks at them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sluice_api::blue_green::Color;
use sluice_cli::view::Snapshot;
use sluice_cluster::ControlPlane;
use tokio::sync::OnceCell;

/// The fixtures' present.
const NOON: &str = "2026-11-21T12:00:00Z";

/// The definitions are installed once for all tests of this process.
static INSTALLED: OnceCell<()> = OnceCell::const_new();

/// One namespace, and the program as its user calls it.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    pub(crate) namespace: String,
    pub(crate) client: kube::Client,
    pub(crate) home: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        INSTALLED
            .get_or_init(async || plane.install_crds().await.unwrap())
            .await;
        Self::on(plane).await
    }

    pub(crate) async fn on(plane: ControlPlane) -> Self {
        Self {
            namespace: plane.namespace("command").await.unwrap(),
            client: plane.client().await.unwrap(),
            home: tempfile::tempdir().unwrap(),
            plane,
        }
    }

    /// The program, asking this namespace as its administrator.
    pub(crate) fn sluice(&self) -> Command {
        let mut command = self.bare();
        command
            .env("KUBECONFIG", self.plane.kubeconfig())
            .env("SLUICE_NAMESPACE", &self.namespace);
        command
    }

    /// The program in an empty home.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("COLUMNS", "100")
            .current_dir(self.home.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.sluice().args(arguments).output().unwrap())
    }

    /// What a command prints that does what it should.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        stdout
    }

    pub(crate) fn file(&self, name: &str, content: &Value) -> PathBuf {
        let file = self.home.path().join(name);
        fs::write(&file, serde_json::to_string(content).unwrap()).unwrap();
        file
    }

    /// Puts the objects and events of a fixture into the namespace, moved in time so that it is noon now. Answers with the
    /// same as the views of the runner are given.
    pub(crate) async fn put(&self, fixture: &str) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for mut document in documents(fixture) {
            match document["kind"].as_str().unwrap() {
                "FlinkBlueGreenDeployment" => {
                    self.create(&mut document).await;
                    snapshot.resource = sluice_api::read_blue_green(&document).unwrap();
                }
                "FlinkDeployment" => {
                    self.create(&mut document).await;
                    let child = sluice_api::read_flink_deployment(&document).unwrap();
                    match child.metadata.name.as_deref() {
                        Some("orders-blue") => snapshot.blue = Some(child),
                        _ => snapshot.green = Some(child),
                    }
                }
                _ => {
                    for event in document["items"].as_array().unwrap() {
                        self.tell(event).await;
                    }
                    snapshot.events = serde_json::from_value(document["items"].take()).unwrap();
                }
            }
        }
        snapshot
    }

    /// Creates the object, writes its status, and notes what the API server has set.
    pub(crate) async fn create(&self, document: &mut Value) {
        document["metadata"]["namespace"] = self.namespace.clone().into();
        let was = document["metadata"]["generation"].take();
        let name = document["metadata"]["name"].as_str().unwrap().to_owned();
        let api = self.api(document["kind"].as_str().unwrap());
        let object: DynamicObject = serde_json::from_value(document.clone()).unwrap();
        let created = api.create(&PostParams::default(), &object).await.unwrap();
        document["metadata"]["generation"] = created.metadata.generation.into();
        document["metadata"]["creationTimestamp"] =
            serde_json::to_value(created.metadata.creation_timestamp).unwrap();
        if document["status"]["observedGeneration"] == was && !was.is_null() {
            document["status"]["observedGeneration"] = created.metadata.generation.into();
        }
        if !document["status"].is_null() {
            let status = json!({ "status": document["status"] });
            self.set_status(document["kind"].as_str().unwrap(), &name, &status)
                .await;
        }
    }

    /// A merge patch of a status, as `{"status": ...}`.
    pub(crate) async fn set_status(&self, kind: &str, name: &str, status: &Value) {
        let api = self.api(kind);
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(status))
            .await
            .unwrap();
    }

    /// Takes the status of a fixture over, also what it lacks.
    pub(crate) async fn become_as(&self, fixture: &str) {
        let document = documents(fixture).remove(0);
        let api = self.api("FlinkBlueGreenDeployment");
        let mut object = api.get("orders").await.unwrap();
        object.data["status"] = document["status"].clone();
        object.data["status"]["observedGeneration"] = object.metadata.generation.into();
        api.replace_status("orders", &PostParams::default(), &object)
            .await
            .unwrap();
    }

    /// An event about a FlinkBlueGreenDeployment, as the operator tells it.
    pub(crate) async fn tell(&self, event: &Value) {
        let (kind, name) = event["object"].as_str().unwrap().split_once('/').unwrap();
        let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
        let document = json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": { "generateName": "orders-", "namespace": self.namespace },
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
            "reportingController": "sluice.flink.apache.org/blue-green",
            "reportingInstance": "test",
            "action": event["reason"],
            "reason": event["reason"],
            "note": event["message"],
            "type": if event["warning"] == true { "Warning" } else { "Normal" },
            "regarding": { "apiVersion": "flink.apache.org/v1beta1", "kind": kind, "namespace": self.namespace, "name": name },
        });
        let object: DynamicObject = serde_json::from_value(document).unwrap();
        self.api("Event")
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }

    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    pub(crate) fn api(&self, kind: &str) -> Api<DynamicObject> {
        let (group, version, plural) = match kind {
            "FlinkBlueGreenDeployment" => ("flink.apache.org", "v1beta1", "flinkbluegreendeployments"),
            "FlinkDeployment" => ("flink.apache.org", "v1beta1", "flinkdeployments"),
            "Event" => ("events.k8s.io", "v1", "events"),
            _ => ("networking.k8s.io", "v1", "ingresses"),
        };
        let resource =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// The text without what differs from run to run: the namespace, moments, and how long something has lasted.
    pub(crate) fn steady(&self, text: &str) -> String {
        let lines = text.lines().map(|line| {
            let words: Vec<&str> = line
                .split_whitespace()
                .map(|word| word.trim_matches(['(', ')', ',', ';']))
                .filter(|word| !is_date(word))
                .map(|word| match word {
                    word if word == self.namespace => "NAMESPACE",
                    word if is_moment(word) => "TIME",
                    word if is_span(word) => "SPAN",
                    word => word,
                })
                .collect();
            words.join(" ") + "\n"
        });
        lines.collect()
    }
}

/// The documents of a fixture; what it tells of noon is told of now. They get what the API server asks for beyond a runner.
pub(crate) fn documents(fixture: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{fixture}.yaml"));
    let text = fs::read_to_string(path).unwrap();
    let later = Timestamp::now().duration_since(NOON.parse().unwrap());
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&moved(&text, later)).unwrap();
    for document in &mut documents {
        let spec = match document["kind"].as_str().unwrap() {
            "FlinkBlueGreenDeployment" => &mut document["spec"]["template"]["spec"],
            "FlinkDeployment" => &mut document["spec"],
            _ => continue,
        };
        let own = json!({ "execution.checkpointing.savepoint-dir": "s3://bucket/savepoints" });
        let configuration = &mut spec["flinkConfiguration"];
        if configuration.is_null() {
            *configuration = own;
        }
    }
    documents
}

/// Every moment of the fixtures' day, so much later.
fn moved(text: &str, later: SignedDuration) -> String {
    const DAY: &str = "2026-11-21T";
    const LENGTH: usize = NOON.len();
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, found)) = rest.split_once(DAY) {
        result.push_str(before);
        let (time, after) = found.split_at(LENGTH - DAY.len());
        let moment: Timestamp = format!("{DAY}{time}").parse().unwrap();
        let moment = (moment + later).round(jiff::Unit::Second).unwrap();
        result.push_str(&moment.to_string());
        rest = after;
    }
    result + rest
}

pub(crate) fn told(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    )
}

/// The child of a colour.
pub(crate) fn children(snapshot: &Snapshot) -> Vec<sluice_api::FlinkDeployment> {
    let both = Color::BOTH.into_iter();
    both.filter_map(|color| snapshot.child(color).cloned()).collect()
}

/// `2026-11-21`, which stands before a moment that is not of today.
fn is_date(word: &str) -> bool {
    word.len() == 10 && shape(word) == "9-9-9"
}

/// `12:00:00` or `2026-11-21T12:00:00Z`.
fn is_moment(word: &str) -> bool {
    matches!(shape(word).as_str(), "9:9:9" | "9-9-9T9:9:9Z")
}

/// `47s`, `9m48s`, `3h5m`, `2d4h`.
fn is_span(word: &str) -> bool {
    let shape = shape(word);
    let units = shape.replace('9', "");
    !units.is_empty()
        && units.chars().all(|unit| "dhms".contains(unit))
        && shape.len() == 2 * units.len()
        && shape.starts_with('9')
}

/// The word with each number as one nine.
fn shape(word: &str) -> String {
    let mut shape = String::new();
    for character in word.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('9') {
            shape.push('9');
        }
    }
    shape
}
