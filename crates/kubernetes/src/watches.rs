//! The watches: they fill the cache and wake whom a change concerns.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::Color;
use sluice_core::Fact;
use tokio::sync::Notify;

use crate::context::Context;
use crate::deployments;
use crate::kind::{Kind, Name};
use crate::object::{name_of, typed};
use crate::options::{Namespaces, Scope};
use crate::server::innermost;

/// Ours has this label, as upstream's has.
const INGRESS_LABEL: &str = "component=ingress";

/// How many objects one page of a list has. An object being read takes ten times the memory that it takes when it is kept, and
/// the allocator keeps what the largest page has needed.
const PAGE: u32 = 100;

/// Which watches have delivered all there is.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// By watch: `None` once it has delivered everything, before that what stands in the way.
    watches: Mutex<BTreeMap<String, Option<String>>>,
    changed: Notify,
}

impl Synced {
    /// What is missing; `None`: every watch has delivered all there is.
    pub(crate) fn missing(&self) -> Option<String> {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if watches.is_empty() {
            // Who asks before the watches were begun must not be told that they have delivered.
            return Some("the watches have not begun".to_owned());
        }
        watches.iter().find_map(|(watch, missing)| {
            let missing = missing.as_ref()?;
            Some(format!("{watch}: {missing}"))
        })
    }

    /// Waits until every watch has delivered all there is.
    pub(crate) async fn all(&self) {
        loop {
            let changed = self.changed.notified();
            if self.missing().is_none() {
                return;
            }
            changed.await;
        }
    }

    fn expect(&self, watch: &str) {
        self.set(watch, Some("has not been listed yet".to_owned()));
    }

    /// Once a watch has delivered, it counts as delivered: a failure later is one to wait out.
    fn failed(&self, watch: &str, why: String) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(missing)) = watches.get_mut(watch) {
            *missing = why;
        }
    }

    fn set(&self, watch: &str, missing: Option<String>) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.insert(watch.to_owned(), missing);
        drop(watches);
        self.changed.notify_waiters();
    }
}

/// The namespaces that a selector finds; `None`: there is no selector.
type Selected = Option<Arc<RwLock<HashSet<String>>>>;

/// One watch: a kind, everywhere or in one namespace.
struct Watch {
    kind: Kind,
    namespace: Option<String>,
    selected: Selected,
}

/// Watches everything in the scope; never returns.
pub(crate) async fn follow(context: &Arc<Context>, scope: &Scope, synced: &Arc<Synced>) {
    let selected: Selected = match &scope.namespaces {
        Namespaces::All | Namespaces::Named(_) => None,
        Namespaces::Selected(_) => Some(Arc::default()),
    };
    let places: Vec<Option<String>> = match &scope.namespaces {
        Namespaces::All | Namespaces::Selected(_) => vec![None],
        Namespaces::Named(names) => names.iter().cloned().map(Some).collect(),
    };
    let of_clusters: &[Kind] = if context.deployments.is_some() {
        &Kind::OF_CLUSTERS
    } else {
        &[]
    };
    let mut watches = Vec::new();
    for namespace in places {
        for &kind in Kind::ALWAYS.iter().chain(of_clusters) {
            watches.push(Watch {
                kind,
                namespace: namespace.clone(),
                selected: selected.clone(),
            });
        }
    }
    // All of them before the first begins: one that has delivered must not be taken for all.
    for watch in &watches {
        synced.expect(&watch.name());
    }
    if selected.is_some() {
        synced.expect("Namespace");
    }
    let mut tasks = tokio::task::JoinSet::new();
    if let (Namespaces::Selected(selector), Some(selected)) = (&scope.namespaces, selected) {
        tasks.spawn(follow_namespaces(
            Arc::clone(context),
            selector.clone(),
            selected,
            Arc::clone(synced),
        ));
    }
    for watch in watches {
        let labels = match watch.kind {
            Kind::Ingress => Some(INGRESS_LABEL.to_owned()),
            Kind::FlinkBlueGreenDeployment | Kind::FlinkDeployment => scope.label_selector.clone(),
            Kind::Deployment | Kind::Pod | Kind::Service | Kind::ConfigMap => {
                Some(deployments::JOB_MANAGERS.to_owned())
            }
        };
        tasks.spawn(follow_kind(
            Arc::clone(context),
            watch,
            labels,
            Arc::clone(synced),
        ));
    }
    while tasks.join_next().await.is_some() {}
}

impl Watch {
    fn name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} in {namespace}", self.kind.name()),
            None => self.kind.name().to_owned(),
        }
    }

    fn concerns(&self, name: &Name) -> bool {
        self.selected.as_ref().is_none_or(|selected| {
            let selected = selected.read().unwrap_or_else(PoisonError::into_inner);
            selected.contains(&name.namespace)
        })
    }
}

async fn follow_kind(context: Arc<Context>, watch: Watch, labels: Option<String>, synced: Arc<Synced>) {
    let resource = watch.kind.resource();
    let client = context.server.client().clone();
    let api: Api<DynamicObject> = match &watch.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let mut config = watcher::Config::default()
        .timeout(context.watch_seconds)
        .page_size(PAGE);
    if let Some(labels) = &labels {
        config = config.labels(labels);
    }
    let mut stream = pin!(watcher(api, config).default_backoff());
    let mut listed: Option<HashSet<Name>> = None;
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => take(&context, &watch, &synced, &mut listed, event),
            Ok(None) => return,
            Err(error) => {
                let why = innermost(&error);
                tracing::warn!(watch = %watch.name(), "{why}");
                synced.failed(&watch.name(), why);
            }
        }
    }
}

fn take(
    context: &Context,
    watch: &Watch,
    synced: &Synced,
    listed: &mut Option<HashSet<Name>>,
    event: Event<DynamicObject>,
) {
    match event {
        Event::Init => *listed = Some(HashSet::new()),
        Event::InitApply(object) => {
            if let Some(listed) = listed {
                listed.insert(name_of(&object));
            }
            put(context, watch, object);
        }
        Event::InitDone => {
            let listed = listed.take().unwrap_or_default();
            for name in context.cache.names(watch.kind, watch.namespace.as_deref()) {
                if !listed.contains(&name) {
                    remove(context, watch, &name);
                }
            }
            synced.set(&watch.name(), None);
        }
        Event::Apply(object) => put(context, watch, object),
        Event::Delete(object) => {
            let name = name_of(&object);
            if watch.kind == Kind::FlinkDeployment {
                remember_left(context, &name, &object);
            }
            remove(context, watch, &name);
        }
    }
}

/// What is gone cannot be asked any more; what its last status says is remembered.
fn remember_left(context: &Context, name: &Name, object: &DynamicObject) {
    let Ok(child) = typed::<FlinkDeployment>(object) else {
        return;
    };
    if !context.left.knows(name, &child) {
        let not_asked = Fact::Unknown("its JobManager was not asked".to_owned());
        context.left.remember(name.clone(), &child, &not_asked);
    }
}

fn put(context: &Context, watch: &Watch, object: DynamicObject) {
    let name = name_of(&object);
    if watch.kind == Kind::FlinkBlueGreenDeployment && watch.concerns(&name) {
        context.metrics.saw(&name, &object);
    }
    if watch.kind == Kind::FlinkDeployment {
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        context.left.meet(&name, uid);
    }
    let owners = context.cache.put(watch.kind, object);
    wake(context, watch, &name, owners);
}

fn remove(context: &Context, watch: &Watch, name: &Name) {
    if watch.kind == Kind::FlinkBlueGreenDeployment {
        context.metrics.gone(name);
    }
    let owner = context.cache.remove(watch.kind, name);
    wake(context, watch, name, owner.into_iter().collect());
}

fn wake(context: &Context, watch: &Watch, name: &Name, owners: Vec<Name>) {
    // By name as well: a foreign object of a child's name is in the way until it is gone.
    let by_name = match watch.kind {
        Kind::FlinkBlueGreenDeployment | Kind::Ingress => Some(name.clone()),
        Kind::FlinkDeployment => Color::BOTH.into_iter().find_map(|color| {
            let parent = name.name.strip_suffix(color.name())?.strip_suffix('-')?;
            Some(name.beside(parent))
        }),
        Kind::Deployment | Kind::Pod | Kind::Service | Kind::ConfigMap => None,
    };
    wake_cluster(context, watch, name, &owners);
    // A cluster's objects concern their FlinkDeployment, whose status concerns its owner.
    let owners = match watch.kind {
        Kind::Deployment | Kind::Pod => Vec::new(),
        Kind::FlinkBlueGreenDeployment
        | Kind::FlinkDeployment
        | Kind::Ingress
        | Kind::Service
        | Kind::ConfigMap => owners,
    };
    for concerned in by_name.into_iter().chain(owners) {
        if watch.concerns(&concerned) {
            context.queue.wake(concerned);
        }
    }
}

/// Wakes the FlinkDeployment that a change concerns, where this operator looks after it.
fn wake_cluster(context: &Context, watch: &Watch, name: &Name, owners: &[Name]) {
    let Some(deployments) = &context.deployments else {
        return;
    };
    let concerned: &[Name] = match watch.kind {
        Kind::FlinkDeployment => std::slice::from_ref(name),
        Kind::Deployment | Kind::Pod => owners,
        Kind::FlinkBlueGreenDeployment | Kind::Ingress | Kind::Service | Kind::ConfigMap => &[],
    };
    for cluster in concerned {
        if watch.concerns(cluster) {
            deployments.queue.wake(cluster.clone());
        }
    }
}

/// Keeps the set of selected namespaces, and wakes what is in one that comes in.
async fn follow_namespaces(
    context: Arc<Context>,
    selector: String,
    selected: Arc<RwLock<HashSet<String>>>,
    synced: Arc<Synced>,
) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(context.server.client().clone());
    let config = watcher::Config::default()
        .timeout(context.watch_seconds)
        .labels(&selector);
    let mut stream = pin!(watcher(api, config).default_backoff());
    let mut listed: HashSet<String> = HashSet::new();
    let name = |namespace: PartialObjectMeta<Namespace>| namespace.metadata.name.unwrap_or_default();
    let change = |change: &mut dyn FnMut(&mut HashSet<String>)| {
        change(&mut selected.write().unwrap_or_else(PoisonError::into_inner));
    };
    loop {
        match stream.try_next().await {
            Ok(Some(Event::Init)) => listed.clear(),
            Ok(Some(Event::InitApply(namespace))) => {
                listed.insert(name(namespace));
            }
            Ok(Some(Event::InitDone)) => {
                change(&mut |selected| selected.clone_from(&listed));
                for namespace in &listed {
                    wake_all(&context, namespace);
                }
                synced.set("Namespace", None);
            }
            Ok(Some(Event::Apply(namespace))) => {
                let namespace = name(namespace);
                change(&mut |selected| {
                    selected.insert(namespace.clone());
                });
                wake_all(&context, &namespace);
            }
            Ok(Some(Event::Delete(namespace))) => {
                let namespace = name(namespace);
                change(&mut |selected| {
                    selected.remove(&namespace);
                });
            }
            Ok(None) => return,
            Err(error) => {
                let why = innermost(&error);
                tracing::warn!(watch = "Namespace", "{why}");
                synced.failed("Namespace", why);
            }
        }
    }
}

fn wake_all(context: &Context, namespace: &str) {
    for name in context
        .cache
        .names(Kind::FlinkBlueGreenDeployment, Some(namespace))
    {
        context.queue.wake(name);
    }
    if let Some(deployments) = &context.deployments {
        for name in context.cache.names(Kind::FlinkDeployment, Some(namespace)) {
            deployments.queue.wake(name);
        }
    }
}
