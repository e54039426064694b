//! What the runner and its clients say to each other, as JSON over the socket.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_core::Color;

use crate::store::Kind;

/// What became of one document of an `apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
}

/// What an `apply` did to an object; kubectl's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// There was no such object.
    Created,
    /// It is different now.
    Configured,
    /// It was already so.
    Unchanged,
}

/// One thing that is wrong with one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentProblem {
    /// Which document, counted from 0 in the order in which they were given.
    pub document: usize,
    /// What the document calls itself, as far as it can be told: `FlinkBlueGreenDeployment orders`.
    pub object: String,
    /// The field, as it stands in the YAML; empty if the whole document is meant.
    pub field: String,
    /// What was found, and what is expected instead.
    pub message: String,
}

impl std::fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}: {}", self.object, self.message)
        } else {
            write!(f, "{}: {}: {}", self.object, self.field, self.message)
        }
    }
}

/// Which events are wanted; what is `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventFilter {
    /// Of objects of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Of objects in this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Of objects of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Told, or told again, after this version of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// The store's version at which it was last told; it grows.
    pub version: u64,
    /// The kind of the object it happened to.
    pub kind: Kind,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The object's uid.
    pub uid: String,
    /// Whether someone should look.
    #[serde(rename = "type")]
    pub severity: Severity,
    /// One word, for filters: `SavepointTriggered`.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// How often it was told.
    pub count: u64,
    /// When it was first told.
    pub first_at: Timestamp,
    /// When it was last told.
    pub last_at: Timestamp,
}

/// Whether someone should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Someone should look.
    Warning,
}

/// The files of one process of a Flink cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// The FlinkDeployment that the process belongs to.
    pub deployment: String,
    /// The colour of that deployment, if it is a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Which process.
    pub component: Component,
    /// The file on this machine.
    pub path: PathBuf,
}

/// A process of a Flink cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// The one JobManager.
    JobManager,
    /// One of the TaskManagers.
    TaskManager,
}

/// What changed in the store after a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The version up to which this tells; ask for the next changes since this one.
    pub version: u64,
    /// Whether changes before this may be missing, because too many have happened: list anew.
    pub incomplete: bool,
    /// The objects that changed, each with its newest content only, in the order of their versions.
    pub objects: Vec<ObjectChange>,
    /// The events that were told, or told again.
    pub events: Vec<EventRecord>,
}

/// One object that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// The version at which it changed.
    pub version: u64,
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The whole object; `None`: it is gone.
    pub object: Option<Value>,
}

/// The runner, its addresses and its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Its process id.
    pub pid: u32,
    /// The version of Sluice that it is.
    pub version: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// Where it keeps everything.
    pub directory: PathBuf,
    /// The store's version.
    pub store_version: u64,
    /// The active endpoints.
    pub endpoints: Vec<EndpointInfo>,
    /// The FlinkDeployments that have an address.
    pub deployments: Vec<DeploymentInfo>,
    /// Counters since the start, by name.
    pub figures: BTreeMap<String, u64>,
}

/// The active endpoint of a FlinkBlueGreenDeployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointInfo {
    /// The resource's namespace.
    pub namespace: String,
    /// The resource's name.
    pub name: String,
    /// Its address, which stays: `http://127.0.0.1:18081`.
    pub address: String,
    /// The colour that it leads to now; `None` while there is no active child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<Color>,
    /// Why it is not served, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The address of one FlinkDeployment's JobManager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentInfo {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its REST API and web UI.
    pub rest: String,
}

/// The body of an `apply`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApplyRequest {
    pub(crate) documents: Vec<Value>,
}

/// The body of an annotation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnnotateRequest {
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

/// The body of a shutdown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShutdownRequest {
    pub(crate) stop_jobs: bool,
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) reason: RefusalReason,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<DocumentProblem>,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RefusalReason {
    /// There is no such object.
    NotFound,
    /// The documents have problems.
    Invalid,
    /// The request itself is wrong.
    BadRequest,
    /// The store could not do it.
    Store,
}
