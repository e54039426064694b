//! What a decision about a FlinkDeployment depends on: from the watches, or read afresh; and what its JobManager says.

use kube::core::DynamicObject;
use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_core::lifecycle::record::{Record, Step, Stop, StopReason};
use sluice_core::lifecycle::{self, AskedOperation, CompletedCheckpoint, Observed, OperationObservation};
use sluice_flink::Client;
use sluice_shell::Storage;
use sluice_shell::flink::{self, Asked};

use super::cluster::{self, Objects, Upkeep, View};
use super::marks::{ANNOTATION_RESTORED, LABEL_APP, LABEL_TYPE, NATIVE};
use super::objects::{PodView, annotation, trim_cluster};
use super::recovery;
use crate::context::Context;
use crate::kind::{Kind, Name};
use crate::look::Failed;
use crate::object::{trim, typed};

/// An observation, and the objects that it was made of.
pub(super) struct Sight {
    /// The resource as the API server sent it: its version is the condition of the next write.
    pub(super) object: DynamicObject,
    pub(super) objects: Objects,
    pub(super) view: View,
    pub(super) observed: Box<Observed>,
}

/// What the watches have delivered, and what the JobManager says. `None`: there is no such resource.
pub(super) async fn watched(context: &Context, name: &Name) -> Result<Option<Sight>, String> {
    let Some(object) = context.cache.get(Kind::FlinkDeployment, name) else {
        return Ok(None);
    };
    let pods = context.cache.owned(Kind::Pod, name);
    let objects = Objects {
        deployment: context.cache.get(Kind::Deployment, name),
        pods: pods.iter().map(PodView::of).collect(),
    };
    sight(context, name, object, Ok(objects), false).await.map(Some)
}

/// Everything read afresh. `None`: there is no such resource.
pub(super) async fn afresh(context: &Context, name: &Name) -> Result<Option<Sight>, Failed> {
    let Some(mut object) = context.server.get(Kind::FlinkDeployment, name).await? else {
        return Ok(None);
    };
    trim(&mut object);
    context.cache.update(Kind::FlinkDeployment, &object);
    let labels = format!("{LABEL_TYPE}={NATIVE},{LABEL_APP}={}", name.name);
    let (deployment, pods) = tokio::join!(
        context.server.get(Kind::Deployment, name),
        context.server.list(Kind::Pod, name, &labels),
    );
    let objects = deployment
        .and_then(|deployment| Ok((deployment, pods?)))
        .map(|(mut deployment, pods)| {
            if let Some(deployment) = &mut deployment {
                trim(deployment);
                trim_cluster(Kind::Deployment, deployment);
                context.cache.update(Kind::Deployment, deployment);
            }
            Objects {
                deployment,
                pods: pods.iter().map(PodView::of).collect(),
            }
        })
        .map_err(|error| error.to_string());
    Ok(Some(sight(context, name, object, objects, true).await?))
}

async fn sight(
    context: &Context,
    name: &Name,
    object: DynamicObject,
    objects: Result<Objects, String>,
    is_fresh: bool,
) -> Result<Sight, String> {
    let resource: FlinkDeployment = typed(&object)?;
    let (objects, mut view) = match objects {
        Ok(objects) => {
            let view = cluster::view(&resource, &objects);
            (objects, view)
        }
        Err(why) => (
            Objects::default(),
            View {
                fact: Fact::Unknown(why),
                upkeep: Vec::new(),
                is_terminating: false,
                is_started_once: false,
            },
        ),
    };
    let alive = match &view.fact {
        Fact::Present(cluster) => cluster.alive,
        Fact::Absent => false,
        Fact::Unknown(_) => true,
    };
    let client = if alive && view.fact.present().is_some() {
        context.job_managers.client(&resource)
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
    // One that does not answer is not asked again and again.
    let client = client.filter(|_| !job.is_unknown());
    let mut operations = Vec::new();
    for asked in record.iter().flat_map(lifecycle::asked_operations) {
        operations.push(operation(client.as_ref(), alive, &job_id, asked).await);
    }
    let mut checkpoint = checkpoint(client.as_ref(), &view, &resource).await;
    if let (true, Fact::Unknown(_), Some(record)) = (is_fresh, &checkpoint, &record) {
        checkpoint = recovered(context, name, &resource, record, &objects, checkpoint).await;
    }
    if let Fact::Present(job) = &job {
        note_restored(&mut view, &objects, job.restored_checkpoint);
    }
    let mut failures = context
        .deployments
        .as_ref()
        .map(|deployments| deployments.memory.of(name).failures)
        .unwrap_or_default();
    if let (Fact::Present(cluster), false) = (&view.fact, job.present().is_some())
        && cluster.alive
        && !view.is_terminating
    {
        failures.extend(cluster::trouble(&objects));
    }
    if let (Fact::Present(cluster), Fact::Unknown(why)) = (&view.fact, &checkpoint)
        && !cluster.alive
        && is_stateful(&resource)
        && record.as_ref().is_some_and(needs_checkpoint)
    {
        failures.push(format!(
            "the JobManager has ended, and the last checkpoint of job {job_id} cannot be learnt without it: {why}. \
             To go on, set spec.job.savepointRedeployNonce to a new value with spec.job.initialSavepointPath, or \
             spec.job.upgradeMode to stateless to start from nothing. With Flink's high availability a JobManager comes back by itself"
        ));
    }
    Ok(Sight {
        object,
        objects,
        observed: Box::new(Observed {
            last_launched: cluster::launched(&resource),
            cluster: view.fact.clone(),
            job,
            operations,
            checkpoint,
            failures,
            resource,
        }),
        view,
    })
}

/// Whether the next start depends on the last checkpoint of a cluster that has ended.
const fn needs_checkpoint(record: &Record) -> bool {
    match &record.step {
        Step::Stopping {
            reason: StopReason::Crash | StopReason::Upgrade | StopReason::Suspend,
            stop: Stop::Cluster { newest: None },
            ..
        } => true,
        Step::Stopping { .. }
        | Step::Deploying { .. }
        | Step::Running { .. }
        | Step::Ended { .. }
        | Step::Suspended { .. } => false,
    }
}

fn is_stateful(resource: &FlinkDeployment) -> bool {
    let mode = resource.spec.job.as_ref().and_then(|job| job.upgrade_mode);
    mode.unwrap_or_default() != sluice_api::UpgradeMode::Stateless
}

async fn operation(
    client: Option<&Client>,
    alive: bool,
    job: &str,
    asked: AskedOperation,
) -> OperationObservation {
    match asked {
        AskedOperation::Savepoint {
            trigger_id,
            directory,
        } => {
            let asked = Asked {
                job,
                trigger: &trigger_id,
                directory: &directory,
            };
            OperationObservation {
                progress: flink::savepoint(client, Storage::OutOfReach, alive, asked).await,
                trigger_id,
            }
        }
        AskedOperation::Checkpoint { trigger_id } => OperationObservation {
            progress: flink::asked_checkpoint(client, alive, job, &trigger_id).await,
            trigger_id,
        },
    }
}

/// The last completed checkpoint. Where checkpoints are kept cannot be looked into; but a JobManager that was started once
/// and knows of none has completed none.
async fn checkpoint(
    client: Option<&Client>,
    view: &View,
    resource: &FlinkDeployment,
) -> Fact<CompletedCheckpoint> {
    let answer = flink::checkpoint(client, Storage::OutOfReach, resource).await;
    if !answer.is_unknown() || !view.is_started_once {
        return answer;
    }
    let (Some(client), Ok(job)) = (client, flink::job_id(resource).parse()) else {
        return answer;
    };
    match client.checkpoints(job).await {
        Ok(checkpoints) if checkpoints.latest.completed.is_none() => Fact::Absent,
        Ok(_) | Err(_) => answer,
    }
}

/// What Flink's high availability knows of the last checkpoint, where it is kept on Kubernetes.
async fn recovered(
    context: &Context,
    name: &Name,
    resource: &FlinkDeployment,
    record: &Record,
    objects: &Objects,
    otherwise: Fact<CompletedCheckpoint>,
) -> Fact<CompletedCheckpoint> {
    let deployed = super::effects::deployed(resource);
    let Some(spec) = deployed.filter(recovery::is_kept_on_kubernetes) else {
        return otherwise;
    };
    let read = async |map: String| {
        let found = context.server.get(Kind::ConfigMap, &name.beside(map)).await;
        found.map_err(|error| error.to_string())
    };
    match read(recovery::config_map(&name.name, &record.job_id)).await {
        Ok(Some(map)) => recovery::last_checkpoint(&spec, record, restored(objects), map.data.get("data")),
        // A JobManager that came up at all has made the cluster's own, and it stays as long as the cluster does.
        Ok(None) => match read(recovery::config_map_of_cluster(&name.name)).await {
            Ok(None) => Fact::Absent,
            Ok(Some(_)) => otherwise,
            Err(why) => Fact::Unknown(why),
        },
        Err(why) => Fact::Unknown(why),
    }
}

fn restored(objects: &Objects) -> Option<u64> {
    annotation(objects.deployment.as_ref()?, ANNOTATION_RESTORED)?
        .parse()
        .ok()
}

/// Nobody but the JobManager knows it, and it may be gone when it is needed.
fn note_restored(view: &mut View, objects: &Objects, told: Option<u64>) {
    if let Some(number) = told
        && restored(objects).is_none()
        && objects.deployment.is_some()
        && !view.is_terminating
    {
        view.upkeep.push(Upkeep::NoteRestored(number));
    }
}
