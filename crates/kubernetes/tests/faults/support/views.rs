//! What is there in the API server now, by watches of the test's own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use tokio::sync::watch;

use super::{RESOURCE, Wrong};

/// The kinds that a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    BlueGreen,
    Flink,
    Ingress,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::BlueGreen, Self::Flink, Self::Ingress];

    pub fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = match self {
            Self::BlueGreen => (
                "flink.apache.org",
                "v1beta1",
                "FlinkBlueGreenDeployment",
                "flinkbluegreendeployments",
            ),
            Self::Flink => (
                "flink.apache.org",
                "v1beta1",
                "FlinkDeployment",
                "flinkdeployments",
            ),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress", "ingresses"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    pub fn within(self, client: &Client, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), namespace, &self.resource())
    }
}

/// What is there in one namespace.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub resource: Option<Value>,
    pub blue: Option<Value>,
    pub green: Option<Value>,
    pub ingress: Option<Value>,
}

impl Seen {
    /// A value of the resource's status; null where there is none.
    pub fn status(&self, pointer: &str) -> &Value {
        at(self.resource.as_ref(), &format!("/status{pointer}"))
    }

    pub fn state(&self) -> &str {
        self.status("/blueGreenState").as_str().unwrap_or_default()
    }

    /// The name of the step of the transition under way.
    pub fn step(&self) -> &str {
        self.status("/transition/step/name").as_str().unwrap_or_default()
    }

    pub fn condition(&self, kind: &str) -> Value {
        let conditions = self.status("/conditions").as_array().cloned().unwrap_or_default();
        conditions
            .into_iter()
            .find(|it| it["type"] == kind)
            .unwrap_or_default()
    }

    /// Whether the resource is in this state, with this job state, and there is nothing more to be done with its specification.
    pub fn rests(&self, state: &str, job: &str) -> bool {
        self.state() == state
            && self.status("/jobStatus/state") == job
            && self.status("/transition").is_null()
            && self.status("/observedGeneration") == at(self.resource.as_ref(), "/metadata/generation")
    }
}

/// The value at a JSON pointer; null where there is none.
pub fn at<'a>(object: Option<&'a Value>, pointer: &str) -> &'a Value {
    object
        .and_then(|object| object.pointer(pointer))
        .unwrap_or(&Value::Null)
}

pub fn text(object: Option<&Value>, pointer: &str) -> String {
    at(object, pointer).as_str().unwrap_or_default().to_owned()
}

type Key = (Kind, String, String);

#[derive(Default)]
struct Objects {
    now: HashMap<Key, Value>,
    /// Every object that there has been: its uid, and its generation.
    been: HashMap<Key, BTreeMap<String, i64>>,
    /// Where Ingresses have led to, one after the other.
    led: HashMap<Key, Vec<String>>,
}

/// What has come and gone in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Been {
    /// Objects that came to be, by name: for each the number of its specifications.
    pub created: BTreeMap<String, Vec<i64>>,
    /// Where the Ingress has led to.
    pub led: Vec<String>,
}

/// Everything of these kinds in some namespaces.
#[derive(Clone)]
pub struct Views {
    objects: Arc<Mutex<Objects>>,
    changes: watch::Sender<u64>,
}

impl Views {
    /// Watches everything; what is in no namespace of this run is passed over.
    pub fn open(client: &Client, namespaces: &[String]) -> Self {
        let views = Self {
            objects: Arc::default(),
            changes: watch::Sender::new(0),
        };
        for kind in Kind::ALL {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
            let (views, namespaces) = (views.clone(), namespaces.to_vec());
            tokio::spawn(async move {
                let mut stream = std::pin::pin!(watcher(api, watcher::Config::default()));
                let mut listed = Vec::new();
                while let Some(event) = stream.next().await {
                    match event {
                        Ok(Event::Init) => listed.clear(),
                        Ok(Event::InitApply(object)) => listed.extend(views.put(kind, &object, &namespaces)),
                        Ok(Event::Apply(object)) => {
                            views.put(kind, &object, &namespaces);
                        }
                        Ok(Event::Delete(object)) => {
                            let name = object.metadata.name.unwrap_or_default();
                            views.remove(&(kind, object.metadata.namespace.unwrap_or_default(), name));
                        }
                        Ok(Event::InitDone) => views.keep(kind, &listed),
                        Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                    }
                }
            });
        }
        views
    }

    fn put(&self, kind: Kind, object: &DynamicObject, namespaces: &[String]) -> Option<Key> {
        let namespace = object.metadata.namespace.clone()?;
        if !namespaces.contains(&namespace) {
            return None;
        }
        let key = (kind, namespace, object.metadata.name.clone()?);
        let value = serde_json::to_value(object).unwrap();
        {
            let mut objects = self.lock();
            let generation = at(Some(&value), "/metadata/generation")
                .as_i64()
                .unwrap_or_default();
            let been = objects.been.entry(key.clone()).or_default();
            let most = been.entry(text(Some(&value), "/metadata/uid")).or_default();
            *most = generation.max(*most);
            if kind == Kind::Ingress {
                let backend = text(Some(&value), "/spec/rules/0/http/paths/0/backend/service/name");
                let led = objects.led.entry(key.clone()).or_default();
                if led.last() != Some(&backend) {
                    led.push(backend);
                }
            }
            objects.now.insert(key.clone(), value);
        }
        self.changed();
        Some(key)
    }

    fn remove(&self, key: &Key) {
        self.lock().now.remove(key);
        self.changed();
    }

    fn keep(&self, kind: Kind, listed: &[Key]) {
        self.lock()
            .now
            .retain(|key, _| key.0 != kind || listed.contains(key));
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn seen(&self, namespace: &str) -> Seen {
        let objects = self.lock();
        let get = |kind, name: &str| {
            objects
                .now
                .get(&(kind, namespace.to_owned(), name.to_owned()))
                .cloned()
        };
        Seen {
            resource: get(Kind::BlueGreen, RESOURCE),
            blue: get(Kind::Flink, &format!("{RESOURCE}-blue")),
            green: get(Kind::Flink, &format!("{RESOURCE}-green")),
            ingress: get(Kind::Ingress, RESOURCE),
        }
    }

    /// What has come and gone.
    pub fn been(&self, namespace: &str) -> Been {
        let objects = self.lock();
        let mut been = Been::default();
        for ((kind, of, name), uids) in &objects.been {
            if of == namespace && *kind != Kind::BlueGreen {
                let mut specifications: Vec<i64> = uids.values().copied().collect();
                specifications.sort_unstable();
                been.created.insert(name.clone(), specifications);
            }
        }
        for ((_, of, _), led) in &objects.led {
            if of == namespace {
                been.led.clone_from(led);
            }
        }
        been
    }

    /// Waits until this holds.
    pub async fn until(
        &self,
        namespace: &str,
        patience: Duration,
        holds: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, Wrong> {
        let mut changes = self.changes.subscribe();
        let deadline = Instant::now() + patience;
        loop {
            changes.mark_unchanged();
            let seen = self.seen(namespace);
            if holds(&seen) {
                return Ok(seen);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Wrong(format!("not within {} s", patience.as_secs_f64())));
            }
            let _ = tokio::time::timeout(left, changes.changed()).await;
        }
    }
}
