//! One pass over a FlinkBlueGreenDeployment: observe, decide, observe afresh, decide again, write, carry out.

use std::time::Duration;

use jiff::Timestamp;
use sluice_api::blue_green::{Color, StepStatus};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::bluegreen::{
    self, CompletedCheckpoint, Decision, Effect, Observed, SavepointObservation, SavepointProgress, Side,
    WaitingFor, child,
};
use sluice_core::lifecycle::OperationProgress;
use sluice_core::{Fact, Wake};
use sluice_flink::{OperationStatus, SavepointFormat};
use tokio::time::Instant;

use super::context::{Context, Next};
use super::effect::{Carried, of_store};
use super::record::Recorder;
use super::{crash, jobs, record, wake};
use crate::store::{Kind, Object, ObjectKey, Preconditions, StoreError};

/// How long the disposal of a savepoint is waited for.
const DISPOSAL_LIMIT: Duration = Duration::from_secs(30);

/// How much is asked for an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What the store holds, and the savepoint that is awaited: a settled resource costs no request.
    Watched,
    /// Everything.
    Full,
}

/// How this pass records.
const RECORD: Recorder = Recorder {
    decider: "bluegreen",
    counter: "blue_green_status_writes",
};

/// One pass.
pub(crate) async fn pass(context: &Context, key: &ObjectKey) -> Result<Next, String> {
    let Some(mut observed) = Box::pin(observe(context, key, Depth::Watched)).await? else {
        context.memory.forget(key);
        return Ok(Next::Gone);
    };
    let mut now = Timestamp::now();
    let mut decision = bluegreen::decide(&observed, now);
    if does_something(&decision) {
        let Some(afresh) = Box::pin(observe(context, key, Depth::Full)).await? else {
            context.memory.forget(key);
            return Ok(Next::Gone);
        };
        observed = afresh;
        now = Timestamp::now();
        decision = bluegreen::decide(&observed, now);
    }
    let violations = bluegreen::invariants::check(&observed, &decision, now);
    if !violations.is_empty() {
        context.memory.count("blue_green_violations");
        let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
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
        context.memory.count("blue_green_effects");
        tracing::info!(object = %key, effect = name(effect), "carries out");
        crash::point("bluegreen", name(effect), "before");
        if carry_out(context, key, effect).await? == Carried::LookAgain {
            return Ok(Next::At(Some(Instant::now() + Duration::from_millis(50))));
        }
        crash::point("bluegreen", name(effect), "after");
    }
    context.memory.succeeded(key);
    let next = wake::at(
        decision.wake,
        decision.status.is_some() || !decision.effects.is_empty(),
    );
    // Flink does not call: a savepoint is asked after.
    let asked = observed.savepoint.is_some()
        || matches!(step(&observed.resource), Some(StepStatus::Savepointing { .. }));
    let poll = asked.then(|| Instant::now() + context.options.poll_awaiting);
    Ok(Next::At(wake::earlier(next, poll)))
}

fn does_something(decision: &Decision) -> bool {
    let cannot_tell = |waiting: &bluegreen::Waiting| matches!(waiting.what, WaitingFor::Observation(_));
    decision.status.is_some()
        || !decision.effects.is_empty()
        || matches!(decision.wake, Wake::Now)
        || decision.waiting.as_ref().is_some_and(cannot_tell)
}

fn step(resource: &FlinkBlueGreenDeployment) -> Option<&StepStatus> {
    Some(&resource.status.as_ref()?.transition.as_ref()?.step)
}

/// All that a decision may depend on; `None`: the resource is gone.
pub(crate) async fn observe(
    context: &Context,
    key: &ObjectKey,
    depth: Depth,
) -> Result<Option<Observed>, String> {
    let in_words = |error: StoreError| error.to_string();
    let Some(object) = context.store.get(key).map_err(in_words)? else {
        return Ok(None);
    };
    let resource: FlinkBlueGreenDeployment = object.read().map_err(in_words)?;
    let blue = side(context, key, &resource, Color::Blue, depth).await;
    let green = side(context, key, &resource, Color::Green, depth).await;
    let savepoint = savepoint(context, &resource, &blue, &green).await;
    let ingress = match context.store.get(&key.beside(Kind::Ingress, key.name.clone())) {
        Ok(Some(ingress)) => ingress.read().map_or_else(|error| unknown(&error), Fact::Present),
        Ok(None) => Fact::Absent,
        Err(error) => unknown(&error),
    };
    let remembered = context.memory.of(key);
    Ok(Some(Observed {
        resource,
        defaults: context.options.defaults.clone(),
        blue,
        green,
        savepoint,
        ingress,
        disposals: remembered.disposals,
        failures: remembered.failures,
    }))
}

fn unknown<T>(error: &StoreError) -> Fact<T> {
    Fact::Unknown(error.to_string())
}

async fn side(
    context: &Context,
    key: &ObjectKey,
    resource: &FlinkBlueGreenDeployment,
    color: Color,
    depth: Depth,
) -> Side {
    let child_key = key.beside(Kind::FlinkDeployment, color.child_name(&key.name));
    let child = match context.store.get(&child_key) {
        Ok(Some(child)) => child
            .read::<FlinkDeployment>()
            .map_or_else(|error| unknown(&error), Fact::Present),
        Ok(None) => Fact::Absent,
        Err(error) => unknown(&error),
    };
    let checkpoint = match (&child, depth) {
        (_, Depth::Watched) => Fact::Unknown("it has not been asked for yet".to_owned()),
        (Fact::Unknown(why), Depth::Full) => Fact::Unknown(why.clone()),
        (Fact::Present(child), Depth::Full) => {
            let client = context.client_of(child).await;
            CompletedCheckpoint::of(child, jobs::checkpoint(client.as_ref(), child).await)
        }
        (Fact::Absent, Depth::Full) => match context.store.last_removed(&child_key) {
            Ok(Some(removed)) if child::is_owned(&removed.metadata, resource) => match removed.read() {
                Ok(removed) => match CompletedCheckpoint::suspended(&removed) {
                    Some(left) => Fact::Present(left),
                    None => CompletedCheckpoint::of(&removed, jobs::checkpoint(None, &removed).await),
                },
                Err(error) => unknown(&error),
            },
            Ok(_) => Fact::Absent,
            Err(error) => unknown(&error),
        },
    };
    Side { child, checkpoint }
}

/// What Flink says of the savepoint that the record names.
async fn savepoint(
    context: &Context,
    resource: &FlinkBlueGreenDeployment,
    blue: &Side,
    green: &Side,
) -> Option<SavepointObservation> {
    let transition = resource.status.as_ref()?.transition.as_ref()?;
    let StepStatus::Savepointing {
        trigger_id,
        directory,
        ..
    } = &transition.step
    else {
        return None;
    };
    let outgoing = match transition.from? {
        Color::Blue => blue,
        Color::Green => green,
    };
    let progress = match &outgoing.child {
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::Absent => jobs::savepoint(None, false, "", trigger_id, directory).await,
        Fact::Present(child) => {
            let client = context.client_of(child).await;
            let alive = is_alive(context, child).await;
            let job = jobs::record(child)
                .map(|record| record.job_id)
                .unwrap_or_default();
            jobs::savepoint(client.as_ref(), alive, &job, trigger_id, directory).await
        }
    };
    Some(SavepointObservation {
        trigger_id: trigger_id.clone(),
        progress: progress.map(|progress| match progress {
            OperationProgress::InProgress => SavepointProgress::InProgress,
            OperationProgress::Completed { location, .. } => SavepointProgress::Completed { location },
            OperationProgress::Failed { cause } => SavepointProgress::Failed { cause },
        }),
    })
}

/// Whether the child's JobManager is there; where that cannot be told, it may be.
async fn is_alive(context: &Context, child: &FlinkDeployment) -> bool {
    let uid = child.metadata.uid.clone().unwrap_or_default();
    match context.launcher(move |launcher| launcher.observe(&uid)).await {
        Ok(Fact::Present(cluster)) => cluster.alive,
        Ok(Fact::Absent) => false,
        Ok(Fact::Unknown(_)) | Err(_) => true,
    }
}

const fn name(effect: &Effect) -> &'static str {
    match effect {
        Effect::CreateChild { .. } => "CreateChild",
        Effect::ReplaceChild { .. } => "ReplaceChild",
        Effect::DeleteChild { .. } => "DeleteChild",
        Effect::TriggerSavepoint { .. } => "TriggerSavepoint",
        Effect::DisposeSavepoint { .. } => "DisposeSavepoint",
        Effect::ApplyIngress { .. } => "ApplyIngress",
        Effect::DeleteIngress { .. } => "DeleteIngress",
    }
}

async fn carry_out(context: &Context, key: &ObjectKey, effect: &Effect) -> Result<Carried, String> {
    let store = &context.store;
    match effect {
        Effect::CreateChild { manifest } => {
            of_store(Object::from_typed(manifest).and_then(|it| store.create(it)))
        }
        Effect::ReplaceChild { manifest } => {
            of_store(Object::from_typed(manifest).and_then(|it| store.replace(it)))
        }
        Effect::DeleteChild {
            name,
            uid,
            resource_version,
        } => of_store(store.delete(
            &key.beside(Kind::FlinkDeployment, name.clone()),
            &Preconditions {
                uid: Some(uid.clone()),
                resource_version: Some(resource_version.clone()),
            },
        )),
        Effect::TriggerSavepoint {
            child,
            job_id,
            trigger_id,
            directory,
        } => {
            let client = client_of_child(context, key, child).await?;
            let (job, trigger) = jobs::ids(job_id, trigger_id)
                .ok_or_else(|| format!("{job_id} or {trigger_id} is no id of Flink"))?;
            client
                .trigger_savepoint(job, trigger, directory, &SavepointFormat::Canonical)
                .await
                .map(|()| Carried::Done)
                .map_err(|error| error.to_string())
        }
        Effect::DisposeSavepoint { child, path } => {
            let client = client_of_child(context, key, child).await?;
            let result = dispose(&client, path).await?;
            context.memory.disposed(key, path, result);
            context.queue.wake(key.clone());
            Ok(Carried::Done)
        }
        Effect::ApplyIngress { manifest } => {
            of_store(
                Object::from_typed(manifest).and_then(|ingress| match store.get(&ingress.key)? {
                    None => store.create(ingress),
                    Some(_) => store.replace(ingress),
                }),
            )
        }
        Effect::DeleteIngress { name, uid } => of_store(store.delete(
            &key.beside(Kind::Ingress, name.clone()),
            &Preconditions {
                uid: Some(uid.clone()),
                resource_version: None,
            },
        )),
    }
}

async fn client_of_child(
    context: &Context,
    key: &ObjectKey,
    child: &str,
) -> Result<sluice_flink::Client, String> {
    let child_key = key.beside(Kind::FlinkDeployment, child);
    let found = context.store.get(&child_key).map_err(|error| error.to_string())?;
    let child: FlinkDeployment = found
        .ok_or_else(|| format!("there is no {child_key}"))?
        .read()
        .map_err(|error| error.to_string())?;
    context
        .client_of(&child)
        .await
        .ok_or_else(|| format!("the JobManager of {child_key} has no address"))
}

/// Disposes of a savepoint and waits for the end of it: Flink chooses the id of a disposal, so it cannot be asked after
/// once this process has forgotten it. The outer error: it could not be asked; the inner: Flink answered no.
async fn dispose(client: &sluice_flink::Client, path: &str) -> Result<Result<(), String>, String> {
    let trigger = client
        .dispose_savepoint(path)
        .await
        .map_err(|error| error.to_string())?;
    let begun = Instant::now();
    while begun.elapsed() < DISPOSAL_LIMIT {
        match client.disposal_status(trigger).await {
            Ok(OperationStatus::Completed(())) => return Ok(Ok(())),
            Ok(OperationStatus::Failed { cause }) => return Ok(Err(cause.summary())),
            Ok(OperationStatus::NotKnown) => break,
            Ok(OperationStatus::InProgress) => {}
            Err(error) if error.could_not_ask() => {}
            Err(error) => return Ok(Err(error.to_string())),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("the disposal of {path} did not end"))
}
