//! What a decision depends on: from the watches, or read afresh from the API server and from Flink.

use kube::core::DynamicObject;
use sluice_api::blue_green::Color;
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::Fact;
use sluice_core::bluegreen::agent::Agent;
use sluice_core::bluegreen::{
    AwaitedSavepoint, CompletedCheckpoint, Observed, SavepointObservation, Side, awaited_savepoint, child,
};
use sluice_shell::flink::{self, Asked};
use sluice_shell::{Storage, memory::Remembered};

use crate::context::Context;
use crate::job_manager::is_missing;
use crate::kind::{Kind, Name};
use crate::object::{resource, trim, typed};
use crate::server::ServerError;

/// An observation, and the resource as the API server sent it: its version is the condition of the next write.
pub(crate) struct Sight {
    pub(crate) object: DynamicObject,
    pub(crate) observed: Box<Observed>,
}

/// What the watches have delivered, and the savepoint that is awaited: a settled resource costs no request. `None`: there is
/// no such resource.
pub(crate) async fn watched(context: &Context, name: &Name) -> Result<Option<Sight>, String> {
    let Some(object) = context.cache.get(Kind::FlinkBlueGreenDeployment, name) else {
        return Ok(None);
    };
    let not_asked = || Fact::Unknown("it has not been asked for yet".to_owned());
    let side = |color: Color| Side {
        child: as_fact(
            context
                .cache
                .get(Kind::FlinkDeployment, &name.beside(color.child_name(&name.name))),
        ),
        checkpoint: not_asked(),
        cluster: Fact::Absent,
        still_since: None,
    };
    let ingress = as_fact(context.cache.get(Kind::Ingress, name));
    let (blue, green) = (side(Color::Blue), side(Color::Green));
    let mut sight = sight(context, name, object, blue, green, ingress)?;
    sight.observed.savepoint = savepoint(context, &sight.observed).await;
    Ok(Some(sight))
}

/// Everything read afresh but the resource itself, which stands under the condition of its version wherever it is written.
pub(crate) async fn afresh(context: &Context, name: &Name, known: &Sight) -> Result<Sight, String> {
    // All at once: a JobManager that hangs holds up the look for as long as one question may take.
    let (blue, green, ingress, savepoint) = tokio::join!(
        side(context, name, &known.observed.resource, Color::Blue),
        side(context, name, &known.observed.resource, Color::Green),
        ingress(context, name, &known.observed),
        savepoint(context, &known.observed),
    );
    let mut sight = sight(context, name, known.object.clone(), blue, green, ingress)?;
    sight.observed.savepoint = savepoint;
    Ok(sight)
}

/// Reads the resource itself afresh. `false`: it is gone.
pub(crate) async fn resource_afresh(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
) -> Result<bool, String> {
    let found = context.server.get(Kind::FlinkBlueGreenDeployment, name).await;
    let Some(mut object) = found.map_err(|error| error.to_string())? else {
        return Ok(false);
    };
    trim(&mut object);
    context.cache.update(Kind::FlinkBlueGreenDeployment, &object);
    take_resource(sight, object)?;
    Ok(true)
}

/// Puts another version of the resource into the sight.
pub(crate) fn take_resource(sight: &mut Sight, object: DynamicObject) -> Result<(), String> {
    let (resource, unreadable) = resource(&object)?;
    sight.observed.resource = resource;
    sight.observed.unreadable = unreadable;
    sight.object = object;
    Ok(())
}

fn sight(
    context: &Context,
    name: &Name,
    object: DynamicObject,
    blue: Side,
    green: Side,
    ingress: Fact<k8s_openapi::api::networking::v1::Ingress>,
) -> Result<Sight, String> {
    let (resource, unreadable) = resource(&object)?;
    let Remembered {
        failures, disposals, ..
    } = context.memory.of(name);
    Ok(Sight {
        object,
        observed: Box::new(Observed {
            resource,
            unreadable,
            defaults: context.defaults.clone(),
            blue,
            green,
            savepoint: None,
            // The strategy SAVEPOINT does without here, as long as nothing brings the agent into a pod.
            agent: Agent::None,
            handover: Fact::Absent,
            ingress,
            disposals,
            failures,
        }),
    })
}

fn as_fact<T: serde::de::DeserializeOwned>(object: Option<DynamicObject>) -> Fact<T> {
    match object {
        None => Fact::Absent,
        Some(object) => typed(&object).map_or_else(Fact::Unknown, Fact::Present),
    }
}

/// What the API server said, kept for the next look.
fn read<T: serde::de::DeserializeOwned>(
    context: &Context,
    kind: Kind,
    answer: Result<Option<DynamicObject>, ServerError>,
) -> Fact<T> {
    match answer {
        Ok(object) => {
            if let Some(object) = &object {
                context.cache.update(kind, object);
            }
            as_fact(object)
        }
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

async fn side(context: &Context, name: &Name, resource: &FlinkBlueGreenDeployment, color: Color) -> Side {
    let child_name = name.beside(color.child_name(&name.name));
    let answer = context.server.get(Kind::FlinkDeployment, &child_name).await;
    let child: Fact<FlinkDeployment> = read(context, Kind::FlinkDeployment, answer);
    let checkpoint = match &child {
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        // What another resource's child has completed is no state of this one, though it had the same name.
        Fact::Present(other) if !child::is_owned(&other.metadata, resource) => {
            Fact::Unknown("it belongs to another resource".to_owned())
        }
        Fact::Present(child) => checkpoint(context, child).await,
        Fact::Absent => {
            let uid = resource.metadata.uid.as_deref().unwrap_or_default();
            context.left.of(&child_name, uid)
        }
    };
    Side {
        child,
        checkpoint,
        cluster: Fact::Absent,
        still_since: None,
    }
}

/// The last completed checkpoint of a child's job, by its JobManager.
async fn checkpoint(context: &Context, deployment: &FlinkDeployment) -> Fact<CompletedCheckpoint> {
    let client = context.job_managers.of(deployment);
    if client.is_none() && !flink::job_id(deployment).is_empty() {
        return Fact::Unknown("its JobManager is not there".to_owned());
    }
    let last = flink::checkpoint(client.as_ref(), Storage::OutOfReach, deployment).await;
    CompletedCheckpoint::of(deployment, last)
}

/// Remembers what a child that is going had completed, while its JobManager may still be asked: as long as its job runs, it
/// may complete more.
pub(crate) async fn remember_leaving(context: &Context, child_name: &Name, deployment: &FlinkDeployment) {
    if child::job_is_running(deployment) || !context.left.knows(child_name, deployment) {
        let last = checkpoint(context, deployment).await;
        context.left.remember(child_name.clone(), deployment, &last);
    }
}

async fn ingress(
    context: &Context,
    name: &Name,
    known: &Observed,
) -> Fact<k8s_openapi::api::networking::v1::Ingress> {
    // One that nobody wants and that the watch does not know is not asked for.
    let wanted = known.resource.spec.ingress.is_some() || !known.ingress.is_absent() || {
        let status = known.resource.status.as_ref();
        let reconciled = status.and_then(|status| status.last_reconciled_spec.as_deref());
        reconciled.is_some_and(|text| text.contains("\"ingress\""))
    };
    if !wanted {
        return Fact::Absent;
    }
    let answer = context.server.get(Kind::Ingress, name).await;
    read(context, Kind::Ingress, answer)
}

/// What Flink says of the savepoint that the record names.
async fn savepoint(context: &Context, observed: &Observed) -> Option<SavepointObservation> {
    let AwaitedSavepoint {
        color,
        trigger_id,
        directory,
    } = awaited_savepoint(&observed.resource)?;
    let progress = match &observed.side(color).child {
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::Absent => Fact::Unknown("the deployment whose savepoint it is is gone".to_owned()),
        Fact::Present(child) => {
            let job = flink::job_id(child);
            let asked = Asked {
                job: &job,
                trigger: trigger_id,
                directory,
            };
            let client = context.job_managers.of(child);
            let alive = !is_missing(child);
            flink::savepoint(client.as_ref(), Storage::OutOfReach, alive, asked)
                .await
                .map(flink::savepoint_progress)
        }
    };
    Some(SavepointObservation {
        trigger_id: trigger_id.to_owned(),
        progress,
    })
}
