//! Watches of the objects that a command looks at. They wake; what is shown is read afresh.

use std::pin::pin;

use futures::StreamExt;
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use sluice_api::blue_green::Color;
use sluice_local::store::Kind;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::{Request, innermost, may_pass};
use super::{Cluster, api_resource};
use crate::failure::Failure;
use crate::source::Scope;

/// How long one watch stays open, in seconds. One whose connection is dead is noticed 5 s after that.
const WATCH_SECONDS: u32 = 60;

/// What the watches have told so far.
#[derive(Clone, Debug, Default)]
struct Told {
    /// How many of them have begun.
    begun: usize,
    /// How many changes there were.
    changes: u64,
    /// Why it makes no sense to wait any longer.
    failure: Option<String>,
}

/// Changes of the objects of one scope.
pub(crate) struct Changes {
    told: watch::Receiver<Told>,
    /// How many changes there were at the last look.
    seen: u64,
    /// What was said last of a connection that broke and comes back by itself.
    trouble: watch::Receiver<Option<String>>,
    /// They end with this value.
    _watches: JoinSet<()>,
}

impl Cluster {
    /// Begins to watch. When this returns, no later change is missed.
    pub(crate) async fn changes(&self, name: &str, scope: Scope) -> Result<Changes, Failure> {
        let mut objects = vec![(Kind::FlinkBlueGreenDeployment, name.to_owned())];
        if scope == Scope::WithChildren {
            objects.extend(Color::BOTH.map(|color| (Kind::FlinkDeployment, color.child_name(name))));
        }
        let count = objects.len();
        let (told, receiver) = watch::channel(Told::default());
        let (trouble, trouble_receiver) = watch::channel(None);
        let mut watches = JoinSet::new();
        for (kind, name) in objects {
            watches.spawn(self.clone().watch(kind, name, told.clone(), trouble.clone()));
        }
        let mut changes = Changes {
            told: receiver,
            seen: 0,
            trouble: trouble_receiver,
            _watches: watches,
        };
        let all = |told: &Told| told.begun == count || told.failure.is_some();
        drop(changes.told.wait_for(all).await);
        changes.look()?;
        Ok(changes)
    }

    /// Watches one object for as long as this future lives.
    async fn watch(
        self,
        kind: Kind,
        name: String,
        told: watch::Sender<Told>,
        trouble: watch::Sender<Option<String>>,
    ) {
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(self.client.clone(), &self.namespace, &api_resource(kind));
        let selection = watcher::Config::default()
            .fields(&format!("metadata.name={name}"))
            .timeout(WATCH_SECONDS);
        let mut events = pin!(watcher(api, selection).default_backoff());
        let mut begun = false;
        while let Some(event) = events.next().await {
            let error = match event {
                Ok(Event::InitDone) if !begun => {
                    begun = true;
                    told.send_modify(|told| told.begun += 1);
                    continue;
                }
                Ok(Event::Init | Event::InitApply(_)) => continue,
                // After an interruption anything may have changed.
                Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => {
                    trouble.send_replace(None);
                    told.send_modify(|told| told.changes += 1);
                    continue;
                }
                Err(error) => error,
            };
            let (verb, cause) = match &error {
                watcher::Error::InitialListFailed(cause) => ("list", Some(cause)),
                watcher::Error::WatchStartFailed(cause) | watcher::Error::WatchFailed(cause) => {
                    ("watch", Some(cause))
                }
                // The next list begins anew.
                watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => ("watch", None),
            };
            match cause {
                Some(cause) if !begun || !may_pass(cause) => {
                    let request = Request::one(verb, kind, &self.namespace, &name);
                    let failure = self.refused(&request, cause).to_string();
                    told.send_modify(|told| told.failure = Some(failure));
                    return;
                }
                _ => {
                    let text = format!("{} does not answer: {}", self.address, innermost(&error));
                    trouble.send_replace(Some(text));
                }
            }
        }
    }
}

impl Changes {
    /// From here on a change counts.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        let told = self.told.borrow_and_update();
        self.seen = told.changes;
        told.failure
            .clone()
            .map_or(Ok(()), |why| Err(Failure::Refused(why)))
    }

    /// Returns when something has changed since the last look.
    pub(crate) async fn changed(&self) -> Result<(), Failure> {
        let mut receiver = self.told.clone();
        let told = receiver
            .wait_for(|told| told.changes != self.seen || told.failure.is_some())
            .await
            .map_err(|_| Failure::refused("The watch has ended."))?;
        told.failure
            .clone()
            .map_or(Ok(()), |why| Err(Failure::Refused(why)))
    }

    /// What keeps changes from coming at the moment.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }
}
