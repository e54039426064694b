//! Which of several processes acts. The lease saves work; what keeps two from doing harm is the condition of each write.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease as KubernetesLease;
use kube::{Api, Client};
use kube_lease_manager::{LeaseCreateMode, LeaseManagerBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::options::Lease;

/// Without a sign of life for so many seconds, another process takes over.
const DURATION_SECONDS: u64 = 15;
/// The sign of life is given so many seconds before that.
const GRACE_SECONDS: u64 = 5;
/// The pause after the lease could not be asked for.
const PAUSE: Duration = Duration::from_secs(2);
/// How often one that waits looks whether the lease was given back. The manager itself looks when it runs out.
const FREE_AGAIN: Duration = Duration::from_secs(1);

/// Returns when nobody holds the lease any more.
async fn given_back(client: &Client, lease: &Lease) {
    let leases: Api<KubernetesLease> = Api::namespaced(client.clone(), &lease.namespace);
    loop {
        tokio::time::sleep(FREE_AGAIN).await;
        let Ok(Some(lease)) = leases.get_opt(&lease.name).await else {
            continue;
        };
        let holder = lease.spec.and_then(|spec| spec.holder_identity);
        if holder.is_none_or(|holder| holder.is_empty()) {
            return;
        }
    }
}

/// Tries for the lease until it is told to end, then gives it back.
pub(crate) async fn campaign(
    client: Client,
    lease: Lease,
    identity: String,
    leading: watch::Sender<bool>,
    metrics: Metrics,
    end: CancellationToken,
) {
    let set = |now: bool| {
        metrics.leads(now);
        leading.send_if_modified(|before| std::mem::replace(before, now) != now);
    };
    while !end.is_cancelled() {
        let manager = LeaseManagerBuilder::new(client.clone(), lease.name.clone())
            .with_namespace(lease.namespace.clone())
            .with_identity(identity.clone())
            .with_field_manager(format!("sluice-lease-{identity}"))
            .with_duration(DURATION_SECONDS)
            .with_grace(GRACE_SECONDS)
            .with_create_mode(LeaseCreateMode::AutoCreate)
            .build()
            .await;
        match manager {
            Ok(manager) => {
                let (mut channel, task) = manager.watch().await;
                let mut free = false;
                loop {
                    let leads = *channel.borrow_and_update();
                    if leads != *leading.borrow() {
                        tracing::info!(leads, lease = %lease.name, "the lease has changed hands");
                    }
                    set(leads);
                    tokio::select! {
                        changed = channel.changed() => if changed.is_err() { break },
                        () = end.cancelled() => break,
                        () = given_back(&client, &lease), if !leads => {
                            free = true;
                            break;
                        }
                    }
                }
                set(false);
                // Without a receiver the manager gives the lease back and ends.
                drop(channel);
                if free {
                    // This one sleeps until the lease would have run out; a new one takes it at once.
                    task.abort();
                    continue;
                }
                match task.await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::warn!("the lease {} is lost: {error}", lease.name),
                    Err(error) => tracing::warn!("the lease {} is lost: {error}", lease.name),
                }
            }
            Err(error) => tracing::warn!("the lease {} cannot be asked for: {error}", lease.name),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = end.cancelled() => {}
        }
    }
}
