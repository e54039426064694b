//! One pass over a FlinkBlueGreenDeployment: observe, decide, observe afresh, decide again, write, carry out.

use std::time::Duration;

use jiff::Timestamp;
use sluice_api::blue_green::{Color, StepStatus};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::bluegreen::agent::Agent;
use sluice_core::bluegreen::{
    self, CompletedCheckpoint, Decision, Effect, Observed, SavepointObservation, Side, WaitingFor, child,
};
use sluice_core::handover::{Seen, Version};
use sluice_core::{Fact, Wake};
use sluice_shell::flink::Asked;
use sluice_shell::{Storage, flink, wake};
use tokio::time::Instant;

use super::context::{Context, Next};
use super::effect::{Carried, of_store};
use super::record::Recorder;
use super::{crash, record};
use crate::handover::{RecordDirectory, RecordError};
use crate::store::{Kind, Object, ObjectKey, Preconditions, StoreError};

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
        tracing::info!(object = %key, effect = effect.name(), "carries out");
        crash::point("bluegreen", effect.name(), "before");
        if carry_out(context, key, &observed.resource, effect).await? == Carried::LookAgain {
            return Ok(Next::At(Some(Instant::now() + Duration::from_millis(50))));
        }
        crash::point("bluegreen", effect.name(), "after");
    }
    context.memory.succeeded(key);
    let next = wake::at(
        decision.wake,
        decision.status.is_some() || !decision.effects.is_empty(),
    );
    // Flink does not call: a savepoint is asked after, and so is a cluster that comes up.
    let asked = observed.savepoint.is_some()
        || matches!(
            step(&observed.resource),
            Some(StepStatus::Savepointing { .. } | StepStatus::Warming { .. })
        );
    let poll = asked.then(|| Instant::now() + context.options.poll_awaiting);
    // Nobody calls when a job writes the record, either; and records are kept back while its answer is not seen.
    let is_handed_over = matches!(
        step(&observed.resource),
        Some(StepStatus::HandingOver { .. } | StepStatus::Sealing { .. })
    );
    let read = is_handed_over.then(|| Instant::now() + context.options.poll_handover);
    Ok(Next::At(wake::earlier(wake::earlier(next, poll), read)))
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
    let mut blue = side(context, key, &resource, Color::Blue, depth).await;
    let mut green = side(context, key, &resource, Color::Green, depth).await;
    let savepoint = savepoint(context, &resource, &blue, &green).await;
    let record = handover(context, &resource);
    let seen = match record.read() {
        Ok(Some(read)) => Fact::Present(Seen {
            version: Version(read.version),
            record: read.record,
        }),
        // The directory is made with the first record.
        Ok(None) | Err(RecordError::NoDirectory { .. }) => Fact::Absent,
        Err(error) => Fact::Unknown(error.to_string()),
    };
    let now = Timestamp::now();
    for (color, side) in [(Color::Blue, &mut blue), (Color::Green, &mut green)] {
        let report = seen.present().and_then(|seen| seen.record.report(color));
        side.still_since = report.map(|it| context.memory.reported(key, color, &it.gates, now));
    }
    let agent = match &context.options.agent {
        Some(jar) => Agent::Jar {
            path: jar.display().to_string(),
            handover_directory: record.path().display().to_string(),
        },
        None => Agent::None,
    };
    let ingress = match context.store.get(&key.beside(Kind::Ingress, key.name.clone())) {
        Ok(Some(ingress)) => ingress.read().map_or_else(|error| unknown(&error), Fact::Present),
        Ok(None) => Fact::Absent,
        Err(error) => unknown(&error),
    };
    let remembered = context.memory.of(key);
    Ok(Some(Observed {
        resource,
        unreadable: Vec::new(),
        defaults: context.options.defaults.clone(),
        blue,
        green,
        savepoint,
        agent,
        handover: seen,
        ingress,
        disposals: remembered.disposals,
        failures: remembered.failures,
    }))
}

/// The handover record of a resource: of this very object, and not of an earlier one of its name.
fn handover(context: &Context, resource: &FlinkBlueGreenDeployment) -> RecordDirectory {
    let uid = resource.metadata.uid.as_deref().unwrap_or_default();
    RecordDirectory::new(context.directory.join("handover").join(uid))
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
            CompletedCheckpoint::of(
                child,
                flink::checkpoint(client.as_ref(), Storage::ThisMachine, child).await,
            )
        }
        (Fact::Absent, Depth::Full) => match context.store.last_removed(&child_key) {
            Ok(Some(removed)) if child::is_owned(&removed.metadata, resource) => match removed.read() {
                Ok(removed) => match CompletedCheckpoint::suspended(&removed) {
                    Some(left) => Fact::Present(left),
                    None => CompletedCheckpoint::of(
                        &removed,
                        flink::checkpoint(None, Storage::ThisMachine, &removed).await,
                    ),
                },
                Err(error) => unknown(&error),
            },
            Ok(_) => Fact::Absent,
            Err(error) => unknown(&error),
        },
    };
    let is_asked_for = bluegreen::wants_cluster(resource) == Some(color);
    let cluster = match &child {
        Fact::Present(child) if is_asked_for => {
            let client = context.client_of(child).await;
            flink::cluster(client.as_ref()).await
        }
        Fact::Present(_) | Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
    };
    Side {
        child,
        checkpoint,
        cluster,
        still_since: None,
    }
}

/// What Flink says of the savepoint that the record names.
async fn savepoint(
    context: &Context,
    resource: &FlinkBlueGreenDeployment,
    blue: &Side,
    green: &Side,
) -> Option<SavepointObservation> {
    let bluegreen::AwaitedSavepoint {
        color,
        trigger_id,
        directory,
    } = bluegreen::awaited_savepoint(resource)?;
    let outgoing = match color {
        Color::Blue => blue,
        Color::Green => green,
    };
    let (client, alive, job) = match &outgoing.child {
        Fact::Unknown(why) => {
            return Some(SavepointObservation {
                trigger_id: trigger_id.to_owned(),
                progress: Fact::Unknown(why.clone()),
            });
        }
        Fact::Absent => (None, false, String::new()),
        Fact::Present(child) => (
            context.client_of(child).await,
            is_alive(context, child).await,
            flink::job_id(child),
        ),
    };
    let asked = Asked {
        job: &job,
        trigger: trigger_id,
        directory,
    };
    let progress = flink::savepoint(client.as_ref(), Storage::ThisMachine, alive, asked).await;
    Some(SavepointObservation {
        trigger_id: trigger_id.to_owned(),
        progress: progress.map(flink::savepoint_progress),
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

async fn carry_out(
    context: &Context,
    key: &ObjectKey,
    resource: &FlinkBlueGreenDeployment,
    effect: &Effect,
) -> Result<Carried, String> {
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
            let asked = Asked {
                job: job_id,
                trigger: trigger_id,
                directory,
            };
            flink::trigger_savepoint(&client, asked)
                .await
                .map(|()| Carried::Done)
        }
        Effect::StopDrained {
            child,
            job_id,
            trigger_id,
            directory,
        } => {
            let client = client_of_child(context, key, child).await?;
            let asked = Asked {
                job: job_id,
                trigger: trigger_id,
                directory,
            };
            flink::stop_drained(&client, asked).await.map(|()| Carried::Done)
        }
        Effect::DisposeSavepoint { child, path } => {
            let client = client_of_child(context, key, child).await?;
            let result = flink::dispose(&client, path).await?;
            context.memory.disposed(key, path, result);
            context.queue.wake(key.clone());
            Ok(Carried::Done)
        }
        Effect::WriteHandover { expected, record } => {
            let version = expected.map_or(0, |version| version.0);
            match handover(context, resource).write(version, record) {
                // Nobody calls when a file is written.
                Ok(_) => context.queue.wake(key.clone()),
                Err(RecordError::Refused { .. }) => return Ok(Carried::LookAgain),
                Err(error) => return Err(error.to_string()),
            }
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
