//! Namespaces with the actors of the conformance scenarios in them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;
use sluice_conformance::{Options, Outcome, Scenario, Stage};
use tempfile::TempDir;
use tokio::sync::{Semaphore, oneshot, watch};

use super::run::Run;
use super::views::Views;

/// The annotation on the resource with which a run tells its actors that it is over.
pub const OVER: &str = "faults.test/over";

type Outcomes = Arc<Mutex<HashMap<String, Outcome>>>;

/// Some namespaces with actors.
pub struct World {
    pub plane: Arc<ControlPlane>,
    pub client: Client,
    pub views: Views,
    pub job_managers: std::net::SocketAddr,
    pub directory: TempDir,
    /// So many runs go on at the same time as there are actors for.
    pub at_once: Arc<Semaphore>,
    namespaces: HashMap<String, String>,
    outcomes: Outcomes,
    ended: watch::Sender<u64>,
    /// The actors end when this is dropped.
    _over: oneshot::Sender<()>,
}

/// One namespace to be: its name, and what its actors do.
pub struct Cast {
    pub name: String,
    pub actors: Vec<Value>,
}

impl Cast {
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            actors: Vec::new(),
        }
    }

    /// Steps of a scenario, as `children: {green: {outcome: fails}}`.
    pub fn acting(mut self, steps: &Value) -> Self {
        self.actors.extend(steps.as_array().unwrap().clone());
        self
    }

    fn scenario(self) -> Scenario {
        let mut steps = self.actors;
        let over = OVER.replace('/', "~1");
        steps.push(json!({
            "wait": { "within": "60 min", "resource": { format!("/metadata/annotations/{over}"): "yes" } }
        }));
        serde_json::from_value(json!({ "name": self.name, "about": "A fault.", "steps": steps })).unwrap()
    }
}

impl World {
    /// On the control plane that all tests share.
    pub async fn open(casts: Vec<Cast>, at_once: usize) -> Self {
        Self::on(Arc::new(ControlPlane::shared().await.unwrap()), casts, at_once).await
    }

    pub async fn on(plane: Arc<ControlPlane>, casts: Vec<Cast>, at_once: usize) -> Self {
        plane.install_crds().await.unwrap();
        let client = plane.client().await.unwrap();
        let names: Vec<String> = casts.iter().map(|cast| cast.name.clone()).collect();
        let scenarios = casts.into_iter().map(Cast::scenario).collect();
        let options = Options {
            at_once,
            ..Options::default()
        };
        let outcomes = Outcomes::default();
        let ended = watch::Sender::new(0);
        let (told, end) = (Arc::clone(&outcomes), ended.clone());
        let tell = move |outcome: &Outcome| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.insert(outcome.scenario.clone(), outcome.clone());
            end.send_modify(|number| *number += 1);
        };
        let (ready, is_ready) = oneshot::channel();
        let (over, is_over) = oneshot::channel::<()>();
        let of_plane = Arc::clone(&plane);
        // The actors have a runtime of their own; its client belongs to it.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let client = of_plane.client().await.unwrap();
                drop(of_plane);
                let stage = Stage::set(client, scenarios, options).await.unwrap();
                let _ = ready.send((stage.namespaces(), stage.address()));
                tokio::select! {
                    _ = stage.play(tell) => {}
                    _ = is_over => {}
                }
            });
        });
        let (spaces, job_managers) = is_ready.await.unwrap();
        let views = Views::open(&client, &spaces);
        let namespaces = names.into_iter().zip(spaces).collect();
        Self {
            plane,
            client,
            views,
            job_managers,
            directory: tempfile::tempdir().unwrap(),
            at_once: Arc::new(Semaphore::new(at_once)),
            namespaces,
            outcomes,
            ended,
            _over: over,
        }
    }

    /// One namespace, for one test.
    pub async fn one(cast: Cast) -> (Self, Run) {
        let name = cast.name.clone();
        let world = Self::open(vec![cast], 1).await;
        let run = world.run(&name).await;
        (world, run)
    }

    /// A run in the namespace of this name; its operator is not started yet.
    pub async fn run(&self, name: &str) -> Run {
        Run::open(self, name).await
    }

    pub fn namespace(&self, name: &str) -> String {
        self.namespaces[name].clone()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the actors of a run that is over have seen, a line each.
    pub async fn trace(&self, name: &str) -> String {
        let mut ended = self.ended.subscribe();
        loop {
            ended.mark_unchanged();
            {
                let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(outcome) = outcomes.get(name) {
                    return outcome.trace.clone();
                }
            }
            let waited = tokio::time::timeout(Duration::from_mins(1), ended.changed()).await;
            assert!(waited.is_ok(), "the actors of {name} do not end");
        }
    }
}
