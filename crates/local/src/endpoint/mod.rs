//! The active endpoint: one address per FlinkBlueGreenDeployment that stays, and always leads to the active child's REST
//! API and web UI, as its Ingress does on Kubernetes.

mod proxy;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sluice_api::FlinkBlueGreenDeployment;
use sluice_core::{Color, Event, bluegreen};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::EndpointInfo;
use crate::runner::Context;
use crate::store::{Kind, Object, ObjectKey, StoreError};

/// How long to wait before a port that is taken is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why endpoints are not served, for `info`.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    problems: Mutex<HashMap<ObjectKey, String>>,
}

impl Endpoints {
    fn problem(&self, key: &ObjectKey) -> Option<String> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.get(key).cloned()
    }

    /// Whether that is news.
    fn set_problem(&self, key: &ObjectKey, problem: Option<String>) -> bool {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(problem) => problems.insert(key.clone(), problem.clone()) != Some(problem),
            None => problems.remove(key).is_some(),
        }
    }
}

/// Serves one endpoint for each FlinkBlueGreenDeployment that there is, for ever.
pub(crate) async fn serve(context: &Arc<Context>) {
    let mut changed = context.store.watch();
    let mut served: HashMap<ObjectKey, JoinHandle<()>> = HashMap::new();
    loop {
        changed.borrow_and_update();
        match context.store.list(Kind::FlinkBlueGreenDeployment, None) {
            Ok(resources) => {
                let there: Vec<ObjectKey> = resources.into_iter().map(|resource| resource.key).collect();
                served.retain(|key, task| {
                    let stays = there.contains(key);
                    if !stays {
                        task.abort();
                        context.endpoints.set_problem(key, None);
                    }
                    stays
                });
                for key in there {
                    served
                        .entry(key.clone())
                        .or_insert_with(|| tokio::spawn(serve_one(Arc::clone(context), key)));
                }
            }
            Err(error) => tracing::warn!("{error}"),
        }
        if changed.changed().await.is_err() {
            return;
        }
    }
}

async fn serve_one(context: Arc<Context>, key: ObjectKey) {
    loop {
        match bind(&context, &key).await {
            Ok(listener) => {
                context.endpoints.set_problem(&key, None);
                let router = proxy::router(Arc::clone(&context), key.clone());
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::warn!(object = %key, "the active endpoint broke off: {error}");
                }
            }
            Err(problem) => {
                tracing::warn!(object = %key, "{problem}");
                if context.endpoints.set_problem(&key, Some(problem.clone())) {
                    let told = context
                        .store
                        .tell(&key, &Event::warning("EndpointNotServed", problem));
                    if let Err(error) = told {
                        tracing::warn!("{error}");
                    }
                }
            }
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// The listener on the recorded port, or on a new one that is recorded.
async fn bind(context: &Context, key: &ObjectKey) -> Result<TcpListener, String> {
    let in_words = |error: StoreError| error.to_string();
    if let Some(port) = context.store.port(&key.namespace, &key.name).map_err(in_words)? {
        return TcpListener::bind(address(port)).await.map_err(|error| {
            format!(
                "the active endpoint of {key} is not served, because its port {port} cannot be had ({error}); free it, and it is served again by itself"
            )
        });
    }
    let recorded = context.store.ports().map_err(in_words)?;
    for port in context.options.endpoint_ports.clone() {
        if recorded.contains(&port) {
            continue;
        }
        if let Ok(listener) = TcpListener::bind(address(port)).await {
            context
                .store
                .set_port(&key.namespace, &key.name, port)
                .map_err(in_words)?;
            return Ok(listener);
        }
    }
    let ports = &context.options.endpoint_ports;
    Err(format!(
        "the active endpoint of {key} is not served, because no port from {} to {} is free",
        ports.start(),
        ports.end()
    ))
}

/// Only from this machine: Flink's REST API asks nobody who he is.
fn address(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// The endpoints that have a port.
pub(crate) fn list(context: &Context) -> Result<Vec<EndpointInfo>, StoreError> {
    let mut endpoints = Vec::new();
    for object in context.store.list(Kind::FlinkBlueGreenDeployment, None)? {
        let Some(port) = context.store.port(&object.key.namespace, &object.key.name)? else {
            continue;
        };
        endpoints.push(EndpointInfo {
            address: format!("http://{}", address(port)),
            leads_to: active(&object),
            problem: context.endpoints.problem(&object.key),
            namespace: object.key.namespace,
            name: object.key.name,
        });
    }
    Ok(endpoints)
}

/// The colour that serves, by the status.
fn active(resource: &Object) -> Option<Color> {
    let resource: FlinkBlueGreenDeployment = resource.read().ok()?;
    bluegreen::active_color(resource.status.as_ref()?)
}

/// Where the endpoint leads to now, or one sentence about why it leads nowhere.
async fn target(context: &Context, key: &ObjectKey) -> Result<String, String> {
    let in_words = |error: StoreError| error.to_string();
    let resource = context
        .store
        .get(key)
        .map_err(in_words)?
        .ok_or_else(|| format!("{key} is gone"))?;
    let color = active(&resource).ok_or_else(|| format!("{key} has no active deployment yet"))?;
    let child = key.beside(Kind::FlinkDeployment, color.child_name(&key.name));
    let deployment = context
        .store
        .get(&child)
        .map_err(in_words)?
        .ok_or_else(|| format!("{child}, which is active, is not there"))?;
    context
        .rest_address(deployment.uid().to_owned())
        .await
        .ok_or_else(|| format!("{child}, which is active, has not been launched"))
}
