//! Where the scenarios are played: their namespaces, the actors, and the watches that tell what happens.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use futures::StreamExt as _;
use kube::Client;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::actors::{flink_deployments, garbage, job_manager};
use crate::kinds::Kind;
use crate::play;
use crate::report::Outcome;
use crate::scenario::Scenario;
use crate::scene::Scene;
use crate::watches::{self, Scenes, WATCHED};
use crate::{refusals, services};

/// The label on the namespaces of one run: an operator may select them by it.
const RUN_LABEL: &str = "sluice-conformance";

/// How the scenarios are played.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the JobManager actor listens.
    pub listen: SocketAddr,
    /// Make a Service `<child>-rest` for every child that leads to the JobManager actor at this address, which the
    /// operator's network must reach.
    pub service_address: Option<IpAddr>,
    /// How many scenarios are played at a time.
    pub at_once: usize,
    /// Whether the garbage collector is played; a whole cluster has its own.
    pub collects_garbage: bool,
    /// A label on every resource, for operators that watch by label.
    pub label: Option<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            service_address: None,
            at_once: 16,
            collects_garbage: true,
            label: None,
        }
    }
}

/// Everything is set up; the operator may be started, then [`Stage::play`].
pub struct Stage {
    client: Client,
    options: Options,
    scenarios: Vec<(Scenario, Arc<Scene>)>,
    address: SocketAddr,
    run: String,
    /// Ends with the stage.
    _actors: JoinSet<()>,
}

impl Stage {
    /// Makes the namespaces and starts the actors.
    pub async fn set(client: Client, scenarios: Vec<Scenario>, options: Options) -> Result<Self> {
        let run = uuid::Uuid::new_v4().simple().to_string();
        let run = run.get(..6).unwrap_or_default();
        let mut all = Vec::new();
        for scenario in scenarios {
            let namespace: String = format!("sc-{run}-{}", scenario.name).chars().take(60).collect();
            let namespace = namespace.trim_end_matches('-').to_owned();
            let object = Kind::Namespace.object(json!({
                "metadata": { "name": namespace, "labels": { RUN_LABEL: run } }
            }))?;
            Kind::Namespace
                .everywhere(&client)
                .create(&PostParams::default(), &object)
                .await
                .with_context(|| format!("the namespace {namespace} could not be made"))?;
            all.push((scenario, Arc::new(Scene::new(namespace))));
        }
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("the JobManager actor cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        if let Some(ip) = options.service_address {
            for (_, scene) in &all {
                services::create(&client, scene.namespace(), SocketAddr::new(ip, address.port())).await?;
            }
        }
        let scenes: Scenes = Arc::new(
            all.iter()
                .map(|(_, scene)| (scene.namespace().to_owned(), Arc::clone(scene)))
                .collect::<BTreeMap<_, _>>(),
        );
        let mut actors = JoinSet::new();
        for kind in WATCHED {
            actors.spawn(watches::follow(client.clone(), kind, Arc::clone(&scenes)));
        }
        let server = job_manager::serve(listener, client.clone(), Arc::clone(&scenes));
        actors.spawn(async move {
            if let Err(error) = server.await {
                eprintln!("{error:#}");
            }
        });
        Ok(Self {
            client,
            options,
            scenarios: all,
            address,
            run: run.to_owned(),
            _actors: actors,
        })
    }

    /// The namespaces that the operator has to watch.
    pub fn namespaces(&self) -> Vec<String> {
        self.scenarios
            .iter()
            .map(|(_, scene)| scene.namespace().to_owned())
            .collect()
    }

    /// The label that selects these namespaces and no others.
    pub fn namespace_selector(&self) -> String {
        format!("{RUN_LABEL}={}", self.run)
    }

    /// Where the JobManager actor listens: the JobManager of a child is at `http://<this>/<namespace>/<child>`.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plays every scenario; `told` hears of each as it ends.
    pub async fn play(self, told: impl Fn(&Outcome)) -> Vec<Outcome> {
        let plays = self.scenarios.iter().map(|(scenario, scene)| async {
            let outcome = self.play_one(scenario, scene).await;
            told(&outcome);
            outcome
        });
        let mut outcomes: Vec<Outcome> = futures::stream::iter(plays)
            .buffer_unordered(self.options.at_once.max(1))
            .collect()
            .await;
        outcomes.sort_by(|a, b| a.scenario.cmp(&b.scenario));
        outcomes
    }

    async fn play_one(&self, scenario: &Scenario, scene: &Arc<Scene>) -> Outcome {
        let mut actors = JoinSet::new();
        actors.spawn(flink_deployments::act(self.client.clone(), Arc::clone(scene)));
        if self.options.collects_garbage {
            actors.spawn(garbage::act(self.client.clone(), Arc::clone(scene)));
        }
        let outcome = play::play(&self.client, scenario, scene, self.options.label.as_ref()).await;
        play::leave(&self.client, scene).await;
        refusals::clean_up(&self.client, scene.namespace()).await;
        // Without a controller-manager it stays Terminating, which takes nothing more in.
        let gone = Kind::Namespace
            .everywhere(&self.client)
            .delete(scene.namespace(), &DeleteParams::default())
            .await;
        if let Err(error) = gone {
            eprintln!(
                "the namespace {} could not be deleted: {error}",
                scene.namespace()
            );
        }
        outcome
    }
}
