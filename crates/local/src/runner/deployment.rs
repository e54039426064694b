//! One pass over a FlinkDeployment: observe, decide, observe afresh, decide again, write, carry out.

use std::time::Duration;

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_api::metadata::FINALIZER_FLINK_DEPLOYMENT;
use sluice_core::lifecycle::{self, AskedOperation, Effect, Observed, OperationObservation, WaitingFor};
use sluice_core::{Fact, Wake};
use sluice_flink::Client;
use sluice_shell::flink::Asked;
use sluice_shell::{Storage, flink, wake};
use tokio::time::Instant;

use super::context::{Context, Next};
use super::effect::{Carried, of_store};
use super::record::Recorder;
use super::{crash, record};
use crate::store::{ObjectKey, StoreError};

/// How this pass records.
const RECORD: Recorder = Recorder {
    decider: "lifecycle",
    counter: "deployment_status_writes",
};

/// One pass.
pub(crate) async fn pass(context: &Context, key: &ObjectKey) -> Result<Next, String> {
    let Some(mut observed) = observe(context, key).await? else {
        return Ok(gone(context, key));
    };
    let mut now = Timestamp::now();
    let mut decision = lifecycle::decide(&observed, now);
    if decision.status.is_some() || !decision.effects.is_empty() {
        let Some(afresh) = observe(context, key).await? else {
            return Ok(gone(context, key));
        };
        observed = afresh;
        now = Timestamp::now();
        decision = lifecycle::decide(&observed, now);
    }
    let violations = lifecycle::invariants::check(&observed, &decision, now);
    if !violations.is_empty() {
        context.memory.count("deployment_violations");
        let listed: Vec<String> = violations.iter().map(|violation| violation.0.clone()).collect();
        return Err(format!(
            "a decision is not carried out, because it breaks a law: {}",
            listed.join("; ")
        ));
    }
    if !record::write(
        context,
        key,
        &RECORD,
        &observed.resource.metadata,
        decision.status.as_deref(),
        &decision.events,
    )? {
        return Ok(Next::At(Some(Instant::now())));
    }
    for effect in &decision.effects {
        context.memory.count("deployment_effects");
        tracing::info!(object = %key, effect = effect.name(), "carries out");
        crash::point("lifecycle", effect.name(), "before");
        if carry_out(context, key, &observed.resource, effect).await? == Carried::LookAgain {
            return Ok(Next::At(Some(Instant::now() + Duration::from_millis(50))));
        }
        crash::point("lifecycle", effect.name(), "after");
    }
    keep_task_managers(context, &observed).await?;
    context.memory.succeeded(key);
    let next = wake::at(
        decision.wake,
        decision.status.is_some() || !decision.effects.is_empty(),
    );
    // Neither a process nor a JobManager calls: both are looked after.
    let poll = match (&decision.waiting, &decision.wake) {
        (Some(waiting), _) if !matches!(waiting.what, WaitingFor::Person(_)) => context.options.poll_awaiting,
        (_, Wake::Now) => context.options.poll_awaiting,
        _ => context.options.poll_settled,
    };
    Ok(Next::At(wake::earlier(next, Some(Instant::now() + poll))))
}

fn gone(context: &Context, key: &ObjectKey) -> Next {
    context.memory.forget(key);
    context.gone.notify_one();
    Next::Gone
}

/// TaskManagers that died beside a living JobManager are started again, as a ReplicaSet would.
async fn keep_task_managers(context: &Context, observed: &Observed) -> Result<(), String> {
    if !observed.cluster.present().is_some_and(|cluster| cluster.alive) {
        return Ok(());
    }
    let uid = observed.resource.metadata.uid.clone().unwrap_or_default();
    let started = context
        .launch(move |launcher| launcher.ensure_task_managers(&uid))
        .await?;
    for _ in 0..started {
        context.memory.count("task_managers_restarted");
    }
    Ok(())
}

/// All that a decision may depend on, read in the order of its fields; `None`: the resource is gone.
pub(crate) async fn observe(context: &Context, key: &ObjectKey) -> Result<Option<Observed>, String> {
    let in_words = |error: StoreError| error.to_string();
    let Some(object) = context.store.get(key).map_err(in_words)? else {
        return Ok(None);
    };
    let resource: FlinkDeployment = object.read().map_err(in_words)?;
    let uid = object.uid().to_owned();
    let (last_launched, cluster) = context
        .launcher(move |launcher| (launcher.last_launched(&uid), launcher.observe(&uid)))
        .await?;
    let last_launched = last_launched.map_err(|error| error.to_string())?;
    let alive = !matches!(&cluster, Fact::Absent) && cluster.present().is_none_or(|cluster| cluster.alive);
    let client = if alive {
        context.client_of(&resource).await
    } else {
        None
    };
    let record = flink::record(&resource);
    let job_id = record
        .as_ref()
        .map(|record| record.job_id.clone())
        .unwrap_or_default();
    let job = match &client {
        Some(client) => flink::view(client, &job_id).await,
        None => Fact::Unknown("no JobManager runs".to_owned()),
    };
    let mut operations = Vec::new();
    for asked in record.iter().flat_map(lifecycle::asked_operations) {
        operations.push(match asked {
            AskedOperation::Savepoint {
                trigger_id,
                directory,
            } => OperationObservation {
                progress: flink::savepoint(
                    client.as_ref(),
                    Storage::ThisMachine,
                    alive,
                    Asked {
                        job: &job_id,
                        trigger: &trigger_id,
                        directory: &directory,
                    },
                )
                .await,
                trigger_id,
            },
            AskedOperation::Checkpoint { trigger_id } => OperationObservation {
                progress: flink::asked_checkpoint(client.as_ref(), alive, &job_id, &trigger_id).await,
                trigger_id,
            },
        });
    }
    let checkpoint = flink::checkpoint(client.as_ref(), Storage::ThisMachine, &resource).await;
    Ok(Some(Observed {
        last_launched,
        cluster,
        job,
        operations,
        checkpoint,
        failures: context.memory.of(key).failures,
        resource,
    }))
}

async fn carry_out(
    context: &Context,
    key: &ObjectKey,
    resource: &FlinkDeployment,
    effect: &Effect,
) -> Result<Carried, String> {
    let uid = resource.metadata.uid.clone().unwrap_or_default();
    let finalizer = |wanted: bool| {
        of_store(
            context
                .store
                .set_finalizer(key, &uid, FINALIZER_FLINK_DEPLOYMENT, wanted),
        )
    };
    match effect {
        Effect::AddFinalizer => finalizer(true),
        Effect::RemoveFinalizer => finalizer(false),
        Effect::Deploy { plan } => {
            let (plan, key) = (plan.clone(), key.clone());
            context
                .launch(move |launcher| launcher.launch(&plan, &key.namespace, &key.name, &uid))
                .await
                .map(|()| Carried::Done)
        }
        Effect::StopCluster { deployment } => {
            let deployment = *deployment;
            context
                .launch(move |launcher| launcher.stop(&uid, deployment))
                .await
                .map(|()| Carried::Done)
        }
        Effect::StopWithSavepoint { .. }
        | Effect::TriggerSavepoint { .. }
        | Effect::TriggerCheckpoint { .. }
        | Effect::CancelJob { .. } => {
            let client = client(context, key, resource).await?;
            flink::ask(&client, effect).await.map(|()| Carried::Done)
        }
    }
}

async fn client(context: &Context, key: &ObjectKey, resource: &FlinkDeployment) -> Result<Client, String> {
    context
        .client_of(resource)
        .await
        .ok_or_else(|| format!("the JobManager of {key} has no address"))
}
