//! Clusters whose FlinkDeployment is gone: they are ended, and what is left of older ones is removed.

use std::collections::HashSet;
use std::time::Duration;

use super::context::Context;
use crate::launcher::Launcher;
use crate::store::Kind;

/// Ends every cluster without a FlinkDeployment, at the start and whenever one has gone, until none is left.
pub(crate) async fn sweep(context: &Context) {
    loop {
        match sweep_once(context).await {
            Ok(0) => context.gone.notified().await,
            Ok(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(error) => {
                tracing::warn!("clusters without a FlinkDeployment could not be ended: {error}");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

/// Returns how many clusters without a FlinkDeployment there were.
async fn sweep_once(context: &Context) -> Result<usize, String> {
    let running = context.launch(Launcher::all).await?;
    // Read after the processes were listed: a cluster is only launched for an object that is there already.
    let objects = context
        .store
        .list(Kind::FlinkDeployment, None)
        .map_err(|error| error.to_string())?;
    let known: HashSet<&str> = objects.iter().map(crate::store::Object::uid).collect();
    let mut orphans = 0;
    for cluster in running {
        if known.contains(cluster.uid.as_str()) {
            continue;
        }
        orphans += 1;
        context.memory.count("orphans_stopped");
        tracing::info!(
            name = cluster.name,
            deployment = cluster.deployment,
            "is ended: its FlinkDeployment is gone"
        );
        context
            .launch(move |launcher| launcher.stop(&cluster.uid, cluster.deployment))
            .await?;
    }
    let outdated = context
        .store
        .superseded_removed()
        .map_err(|error| error.to_string())?;
    for uid in outdated {
        if !known.contains(uid.as_str()) {
            // Refused while a process runs; the next sweep does it.
            let forgotten = context.launch(move |launcher| launcher.forget(&uid)).await;
            if let Err(error) = forgotten {
                tracing::debug!("{error}");
            }
        }
    }
    Ok(orphans)
}

/// Ends every cluster, for a runner that ends with its jobs.
pub(crate) async fn stop_all(context: &Context) -> Result<(), String> {
    // A process that does not end on request is made to end by the launcher after some seconds.
    for _ in 0..100 {
        let running = context.launch(Launcher::all).await?;
        if running.is_empty() {
            return Ok(());
        }
        for cluster in running {
            context
                .launch(move |launcher| launcher.stop(&cluster.uid, cluster.deployment))
                .await?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err("some Flink processes did not end within 20 s".to_owned())
}
