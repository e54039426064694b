//! What happens in one namespace, and when: by watches, as everybody sees it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures::{StreamExt as _, pin_mut};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::kinds::{blue_green, deployments, text};

/// A child, as it was seen last.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// When an object of this uid was seen for the first time.
    pub(super) seen: Instant,
    /// The object.
    pub(super) object: Value,
}

/// What is there at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The resource; null: none.
    pub(super) resource: Value,
    /// The children by name.
    pub(super) children: BTreeMap<String, Child>,
}

impl Seen {
    /// `status.blueGreenState`.
    pub(super) fn state(&self) -> &str {
        text(&self.resource, "/status/blueGreenState")
    }
}

#[derive(Default)]
struct Inner {
    seen: Mutex<Seen>,
    changed: watch::Sender<u64>,
}

impl Inner {
    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changed.send_modify(|number| *number += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watches of one namespace; they end when this is dropped.
pub(super) struct Sight {
    inner: Arc<Inner>,
    _watches: JoinSet<()>,
}

impl Sight {
    /// Begins to watch.
    pub(super) fn of(client: &Client, namespace: &str) -> Self {
        let inner = Arc::new(Inner::default());
        let mut watches = JoinSet::new();
        watches.spawn(follow(
            blue_green(client, namespace),
            Arc::clone(&inner),
            |seen, object, _| seen.resource = object,
            |seen, _| seen.resource = Value::Null,
        ));
        watches.spawn(follow(
            deployments(client, namespace),
            Arc::clone(&inner),
            |seen, object, now| {
                let name = text(&object, "/metadata/name").to_owned();
                let uid = text(&object, "/metadata/uid");
                let since = seen
                    .children
                    .get(&name)
                    .filter(|child| text(&child.object, "/metadata/uid") == uid)
                    .map_or(now, |child| child.seen);
                seen.children.insert(name, Child { seen: since, object });
            },
            |seen, name| {
                seen.children.remove(name);
            },
        ));
        Self {
            inner,
            _watches: watches,
        }
    }

    /// What is there now.
    pub(super) fn now(&self) -> Seen {
        self.inner.lock().clone()
    }

    /// Waits until `find` finds something in what is seen.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        patience: Duration,
        mut find: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let mut changes = self.inner.changed.subscribe();
        let deadline = Instant::now() + patience;
        loop {
            changes.mark_unchanged();
            if let Some(found) = find(&self.inner.lock()) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "{what}: not within {} s; seen is {:?}",
                    patience.as_secs(),
                    self.now()
                );
            }
            let _changed = tokio::time::timeout(left, changes.changed()).await;
        }
    }
}

async fn follow(
    api: Api<DynamicObject>,
    inner: Arc<Inner>,
    apply: fn(&mut Seen, Value, Instant),
    gone: fn(&mut Seen, &str),
) {
    let stream = watcher::watcher(api, watcher::Config::default());
    pin_mut!(stream);
    while let Some(event) = stream.next().await {
        let now = Instant::now();
        match event {
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                if let Ok(object) = serde_json::to_value(object) {
                    inner.change(|seen| apply(seen, object, now));
                }
            }
            Ok(Event::Delete(object)) => {
                let name = object.metadata.name.unwrap_or_default();
                inner.change(|seen| gone(seen, &name));
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => {
                eprintln!("a watch of the benchmark broke off and is begun again: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
