//! What is known of one scenario: the objects in its namespace, what has happened, what its actors are to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::actors::flink::{Cluster, JobManager};
use crate::expectation::Seen;
use crate::kinds::{Kind, text};
use crate::order::Trace;
use crate::scenario::{ChildScript, Colour, RESOURCE};

/// One scenario's part of the world.
#[derive(Debug)]
pub struct Scene {
    namespace: String,
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
}

/// The part behind the lock.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) resource: Option<Value>,
    /// FlinkDeployments by name.
    pub(crate) children: BTreeMap<String, Value>,
    /// Ingresses by name.
    pub(crate) ingresses: BTreeMap<String, Value>,
    /// What each child does, by name, and since when; none: from its beginning.
    pub(crate) scripts: BTreeMap<String, (ChildScript, Option<Instant>)>,
    /// The Flink clusters by the uid of their FlinkDeployment.
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// How the JobManagers behave, by the child's name.
    pub(crate) job_managers: BTreeMap<String, JobManager>,
    /// Every savepoint that was taken for a transition, in order.
    pub(crate) savepoints: Vec<String>,
    /// The trigger ids under which savepoints were begun.
    pub(crate) trigger_ids: BTreeSet<String>,
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) names: BTreeMap<String, Value>,
    events: Vec<String>,
    events_seen: BTreeSet<(String, u64)>,
    pub(crate) trace: Trace,
}

impl Inner {
    pub(crate) fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// What the child does, and since when; none: from its beginning.
    pub(crate) fn script(&self, name: &str) -> (ChildScript, Option<Instant>) {
        self.scripts.get(name).cloned().unwrap_or_default()
    }

    /// `blue` for `orders-blue`; the name itself for a child of another name.
    pub(crate) fn colour_of(name: &str) -> &str {
        name.strip_prefix(RESOURCE)
            .and_then(|rest| rest.strip_prefix('-'))
            .unwrap_or(name)
    }
}

impl Scene {
    pub(crate) fn new(namespace: String) -> Self {
        Self {
            namespace,
            inner: Mutex::new(Inner {
                resource: None,
                children: BTreeMap::new(),
                ingresses: BTreeMap::new(),
                scripts: BTreeMap::new(),
                clusters: BTreeMap::new(),
                job_managers: BTreeMap::new(),
                savepoints: Vec::new(),
                trigger_ids: BTreeSet::new(),
                counts: BTreeMap::new(),
                names: BTreeMap::new(),
                events: Vec::new(),
                events_seen: BTreeSet::new(),
                trace: Trace::new(),
            }),
            changes: watch::Sender::new(0),
        }
    }

    /// The namespace that the scenario is played in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for a change.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The trace begins now.
    pub(crate) fn begin(&self) {
        self.lock().trace = Trace::new();
    }

    /// What is there now; `ordered`: with what the API server has recorded, in its order.
    pub(crate) fn seen(&self, ordered: bool) -> Seen {
        let inner = self.lock();
        let mut names = inner.names.clone();
        for (number, path) in inner.savepoints.iter().enumerate() {
            names.insert(format!("savepoint-{}", number + 1), json!(path));
        }
        Seen {
            resource: inner.resource.clone(),
            blue: inner.children.get(&Colour::Blue.child_name()).cloned(),
            green: inner.children.get(&Colour::Green.child_name()).cloned(),
            ingress: inner.ingresses.get(RESOURCE).cloned(),
            counts: inner.counts.clone(),
            events: inner.events.clone(),
            recorded: if ordered {
                inner.trace.in_order()
            } else {
                Vec::new()
            },
            names,
        }
    }

    /// Takes note of an object as the API server told it.
    pub(crate) fn take_note(&self, kind: Kind, object: Value) {
        {
            let mut inner = self.lock();
            match kind {
                Kind::BlueGreen => inner.note_resource(object),
                Kind::Flink => inner.note_child(object),
                Kind::Ingress => inner.note_ingress(object),
                Kind::Event => inner.note_event(&object),
                Kind::Service
                | Kind::EndpointSlice
                | Kind::Namespace
                | Kind::Policy
                | Kind::PolicyBinding => {}
            }
        }
        self.changed();
    }

    /// Takes note that an object is gone.
    pub(crate) fn take_note_gone(&self, kind: Kind, object: &Value) {
        {
            let mut inner = self.lock();
            let name = text(object, "/metadata/name").to_owned();
            let version = version(object);
            match kind {
                Kind::BlueGreen if name == RESOURCE => {
                    inner.resource = None;
                    inner.trace.recorded(version, "resource is gone".to_owned());
                }
                Kind::Flink => {
                    if let Some(child) = inner.children.remove(&name) {
                        let uid = text(&child, "/metadata/uid").to_owned();
                        inner.clusters.remove(&uid);
                        let colour = Inner::colour_of(&name).to_owned();
                        inner.count(&format!("{colour}-deleted"));
                        inner.trace.recorded(version, format!("{colour} is gone"));
                    }
                }
                Kind::Ingress if inner.ingresses.remove(&name).is_some() => {
                    inner.trace.recorded(version, format!("ingress {name} is gone"));
                }
                _ => {}
            }
        }
        self.changed();
    }
}

impl Inner {
    fn note_resource(&mut self, object: Value) {
        if text(&object, "/metadata/name") != RESOURCE {
            return;
        }
        let version = version(&object);
        let before = self.resource.take().unwrap_or_default();
        let changed = |pointer: &str| {
            (text(&before, pointer) != text(&object, pointer)).then(|| text(&object, pointer).to_owned())
        };
        let state = changed("/status/blueGreenState");
        let job = changed("/status/jobStatus/state");
        let step = changed("/status/transition/step/name").filter(|step| !step.is_empty());
        if state.is_some() || job.is_some() || step.is_some() {
            let mut line = format!(
                "state {} {}",
                text(&object, "/status/blueGreenState"),
                text(&object, "/status/jobStatus/state")
            );
            if let Some(step) = step {
                let _ = write!(line, " (step {step})");
            }
            self.trace.recorded(version, line);
        }
        if let Some(error) = changed("/status/error") {
            let line = if error.is_empty() {
                "error is no longer there".to_owned()
            } else {
                format!("error {error}")
            };
            self.trace.recorded(version, line);
        }
        if before.pointer("/status") != object.pointer("/status") {
            self.count("status-changes");
        }
        self.resource = Some(object);
    }

    fn note_child(&mut self, object: Value) {
        let name = text(&object, "/metadata/name").to_owned();
        let colour = Self::colour_of(&name).to_owned();
        let version = version(&object);
        let before = self.children.get(&name).cloned().unwrap_or_default();
        let uid = |object: &Value| text(object, "/metadata/uid").to_owned();
        if uid(&before) != uid(&object) {
            if !uid(&before).is_empty() {
                self.clusters.remove(&uid(&before));
                self.count(&format!("{colour}-deleted"));
            }
            self.count(&format!("{colour}-created"));
            self.count("children-created");
            let restores = match text(&object, "/spec/job/initialSavepointPath") {
                "" => "nothing",
                path => path,
            };
            let image = text(&object, "/spec/image");
            let line = format!("{colour} is created with {image} from {restores}");
            self.trace.recorded(version, line);
        } else if before.pointer("/spec") != object.pointer("/spec") {
            let line = format!(
                "{colour} is changed: {} {}",
                text(&object, "/spec/image"),
                text(&object, "/spec/job/state")
            );
            self.trace.recorded(version, line.trim_end().to_owned());
        }
        let look = |object: &Value| {
            [
                "/status/jobStatus/state",
                "/status/lifecycleState",
                "/status/error",
            ]
            .map(|pointer| text(object, pointer).to_owned())
        };
        let [job, lifecycle, error] = look(&object);
        if look(&before) != look(&object) && !job.is_empty() {
            let line = format!("{colour} is {job} {lifecycle} {error}");
            self.trace.recorded(version, line.trim_end().to_owned());
        }
        let deleting = |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some();
        if deleting(&object) && !deleting(&before) {
            self.trace.recorded(version, format!("{colour} is deleted"));
        }
        self.children.insert(name, object);
    }

    fn note_ingress(&mut self, object: Value) {
        const BACKEND: &str = "/spec/rules/0/http/paths/0/backend/service/name";
        let name = text(&object, "/metadata/name").to_owned();
        let before = self.ingresses.get(&name).cloned().unwrap_or_default();
        if text(&before, BACKEND) != text(&object, BACKEND) {
            self.count("ingress-switches");
            let line = format!("ingress {name} leads to {}", text(&object, BACKEND));
            self.trace.recorded(version(&object), line);
        }
        self.ingresses.insert(name, object);
    }

    fn note_event(&mut self, object: &Value) {
        let about = text(object, "/involvedObject/kind");
        if about != "FlinkBlueGreenDeployment" {
            return;
        }
        // One object stands for several events of one kind: then its count grows, and its version.
        let Some(version) = version(object) else { return };
        let key = (text(object, "/metadata/uid").to_owned(), version);
        if !self.events_seen.insert(key) {
            return;
        }
        let reason = text(object, "/reason").to_owned();
        let line = format!(
            "event {} {reason}: {}",
            text(object, "/type"),
            text(object, "/message")
        );
        self.trace.recorded(Some(version), line);
        self.events.push(reason);
    }
}

fn version(object: &Value) -> Option<u64> {
    text(object, "/metadata/resourceVersion").parse().ok()
}
