//! The whole of the operator: watches, looks, leads, serves, and ends in order.

use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::context::{Context, Deployments, Left};
use crate::dispatch::{Resources, dispatch};
use crate::job_manager::JobManagers;
use crate::metrics::Metrics;
use crate::options::{FlinkDeployments, Options};
use crate::server::Server;
use crate::watches::{self, Synced};
use crate::{cache, http, leader};

/// How long looks that are under way have to end when the operator ends.
const LAST_LOOKS: Duration = Duration::from_secs(20);
/// How long a connection to the API server may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Why the operator does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// There is no way to the API server.
    #[error("the cluster cannot be reached: {0}")]
    Configuration(String),
    /// The address for health and metrics cannot be listened on.
    #[error("{address} cannot be listened on: {detail}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        detail: std::io::Error,
    },
    /// The client for Flink cannot be made.
    #[error(transparent)]
    Flink(#[from] sluice_flink::Error),
    /// The signals that end the operator cannot be received.
    #[error("the signals that end the operator cannot be received: {0}")]
    Signals(std::io::Error),
}

/// Runs until SIGTERM or SIGINT. At whatever moment it ends, the next one goes on from the record.
pub async fn run(options: Options) -> Result<(), OperatorError> {
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|detail| OperatorError::Listen {
            address: options.listen,
            detail,
        })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serves /livez, /readyz and /metrics");
    }
    let client = connect(&options).await?;
    let metrics = Metrics::new();
    let synced = Arc::new(Synced::default());
    let context = Arc::new(Context {
        server: Server::new(client.clone(), metrics.clone()),
        job_managers: JobManagers::new(options.rest_address.clone())?,
        cache: cache::Cache::default(),
        queue: sluice_shell::Queue::default(),
        memory: sluice_shell::Memory::default(),
        deployments: (options.flink_deployments == FlinkDeployments::Managed).then(Deployments::default),
        left: Left::default(),
        metrics: metrics.clone(),
        watch_seconds: options.watch_seconds,
        defaults: options.defaults.clone(),
        instance: options.instance.clone(),
    });
    let end = CancellationToken::new();
    signals(&end)?;
    let (leading, leads) = watch::channel(options.lease.is_none());
    let campaign = options.lease.clone().map(|lease| {
        tokio::spawn(leader::campaign(
            client,
            lease,
            options.instance.clone(),
            leading.clone(),
            metrics.clone(),
            end.clone(),
        ))
    });
    metrics.leads(options.lease.is_none());
    let looks = Arc::new(Semaphore::new(options.concurrency));
    tokio::select! {
        () = end.cancelled() => {}
        () = watches::follow(&context, &options.scope, &synced) => {}
        () = http::serve(listener, Arc::clone(&synced), metrics) => {}
        () = dispatch(Resources::BlueGreen, &context, &synced, leads.clone(), &looks) => {}
        () = dispatch(Resources::FlinkDeployments, &context, &synced, leads, &looks) => {}
    }
    // A look that is under way comes to its end before the lease is given back.
    let all = u32::try_from(options.concurrency).unwrap_or(u32::MAX);
    if tokio::time::timeout(LAST_LOOKS, looks.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("a look did not end in time; the next operator goes on from the record");
    }
    end.cancel();
    if let Some(campaign) = campaign
        && let Err(error) = campaign.await
    {
        tracing::warn!("the lease was not given back: {error}");
    }
    tracing::info!("the operator ends");
    Ok(())
}

/// The client of the API server. It repeats nothing by itself: whoever asks knows whether that is right.
pub(crate) async fn connect(options: &Options) -> Result<Client, OperatorError> {
    let words = |error: &dyn std::error::Error| OperatorError::Configuration(crate::server::innermost(error));
    let chosen = KubeConfigOptions {
        context: options.context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = match &options.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(|error| words(&error))?;
            Config::from_custom_kubeconfig(kubeconfig, &chosen)
                .await
                .map_err(|error| words(&error))?
        }
        None if options.context.is_some() => Config::from_kubeconfig(&chosen)
            .await
            .map_err(|error| words(&error))?,
        None => Config::infer().await.map_err(|error| words(&error))?,
    };
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_LIMIT);
    Client::try_from(config).map_err(|error| words(&error))
}

fn signals(end: &CancellationToken) -> Result<(), OperatorError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(OperatorError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(OperatorError::Signals)?;
    let end = end.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        end.cancel();
    });
    Ok(())
}
