//! Effects on the API server and on Flink, and the upkeep of clusters.

use serde_json::{Value, json};
use sluice_api::metadata::FINALIZER_FLINK_DEPLOYMENT;
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec};
use sluice_core::lifecycle::{DeploymentPlan, Effect};
use sluice_shell::flink;

use super::cluster::Upkeep;
use super::marks::{
    ANNOTATION_ENDED, ANNOTATION_LAUNCHED, ANNOTATION_RELEASED, ANNOTATION_RESTORED, HIGH_AVAILABILITY,
    LABEL_APP, LABEL_CONFIG_MAP, LABEL_TYPE, NATIVE,
};
use super::objects::{label, number};
use super::observe::Sight;
use super::render;
use crate::context::Context;
use crate::kind::{Kind, Name};
use crate::look::Failed;
use crate::server::{ServerError, manager};

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried {
    Done,
    /// Something else has to be over before.
    LookAgain,
}

/// Why an effect was not carried out.
pub(super) enum Failure {
    /// The object is not what was observed: look again.
    Stale(String),
    Failed(Failed),
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Stale(words) => Self::Stale(words),
            refused @ ServerError::Refused { .. } => Self::Failed(refused.into()),
        }
    }
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self::Failed(words.into())
    }
}

/// Carries out one effect.
pub(super) async fn carry_out(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    effect: &Effect,
) -> Result<Carried, Failure> {
    match effect {
        Effect::AddFinalizer => set_finalizer(context, name, sight, true).await?,
        Effect::RemoveFinalizer => {
            forget_high_availability(context, name, None).await?;
            set_finalizer(context, name, sight, false).await?;
        }
        Effect::Deploy { plan } => return deploy(context, name, sight, plan).await,
        Effect::StopCluster { deployment } => stop(context, name, sight, *deployment).await?,
        Effect::StopWithSavepoint { .. }
        | Effect::TriggerSavepoint { .. }
        | Effect::TriggerCheckpoint { .. }
        | Effect::CancelJob { .. } => {
            let client = context
                .job_managers
                .client(&sight.observed.resource)
                .ok_or_else(|| format!("the JobManager of {name} has no address"))?;
            flink::ask(&client, effect).await?;
        }
    }
    Ok(Carried::Done)
}

/// Puts the finalizer on the resource, or takes it off, if it is still the version that was observed.
async fn set_finalizer(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    wanted: bool,
) -> Result<(), Failure> {
    let metadata = &sight.object.metadata;
    let mut finalizers = metadata.finalizers.clone().unwrap_or_default();
    finalizers.retain(|finalizer| finalizer != FINALIZER_FLINK_DEPLOYMENT);
    if wanted {
        finalizers.push(FINALIZER_FLINK_DEPLOYMENT.to_owned());
    }
    let patch = json!({ "metadata": {
        "uid": metadata.uid,
        "resourceVersion": metadata.resource_version,
        "finalizers": finalizers,
    } });
    patch_resource(context, name, sight, &patch).await
}

async fn patch_resource(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    patch: &Value,
) -> Result<(), Failure> {
    let mut patched = context
        .server
        .merge(Kind::FlinkDeployment, manager::DEPLOYMENT, name, patch)
        .await?;
    crate::object::trim(&mut patched);
    context.cache.update(Kind::FlinkDeployment, &patched);
    sight.object = patched;
    Ok(())
}

/// The specification that the record says is deployed: the status holds it before anything is launched.
pub(super) fn deployed(resource: &FlinkDeployment) -> Option<FlinkDeploymentSpec> {
    let status = resource.status.as_ref()?;
    let reconciled = status.reconciliation_status.as_ref()?;
    let text = reconciled.last_reconciled_spec.as_deref()?;
    let value: Value = serde_json::from_str(text).ok()?;
    serde_json::from_value(value.get("spec")?.clone()).ok()
}

/// Makes the objects of a cluster, the Deployment last. What is left of an earlier one goes first; what was launched already, or
/// is newer, stays.
async fn deploy(
    context: &Context,
    name: &Name,
    sight: &Sight,
    plan: &DeploymentPlan,
) -> Result<Carried, Failure> {
    let server = &context.server;
    if sight.observed.last_launched >= plan.deployment {
        return Ok(Carried::LookAgain);
    }
    if let Some(old) = &sight.objects.deployment {
        let is_older = number(old).unwrap_or(1) < plan.deployment;
        if is_older && old.metadata.deletion_timestamp.is_none() {
            let uid = old.metadata.uid.as_deref().unwrap_or_default();
            server.delete_with_all(Kind::Deployment, name, uid).await?;
        }
        return Ok(Carried::LookAgain);
    }
    let mut resource = sight.observed.resource.clone();
    resource.spec = deployed(&resource).ok_or_else(|| {
        "the status does not hold the specification that is to be deployed; it is written again at the next look"
            .to_owned()
    })?;
    let objects = render::render(&resource, plan)?;
    forget_high_availability(context, name, Some(plan)).await?;
    for object in &objects.before {
        let kind = match object.get("kind").and_then(Value::as_str) {
            Some("Service") => Kind::Service,
            Some("Ingress") => Kind::Ingress,
            Some(_) | None => Kind::ConfigMap,
        };
        server.apply(kind, manager::CLUSTER, object).await?;
    }
    let created = server
        .create(Kind::Deployment, manager::CLUSTER, &objects.deployment)
        .await?;
    context.cache.update(Kind::Deployment, &created);
    Ok(Carried::Done)
}

/// Deletes what Flink's high availability and former deployments have left in ConfigMaps. Before a launch what is the
/// deployment's own stays: then it has run already, and Flink goes on from there.
async fn forget_high_availability(
    context: &Context,
    name: &Name,
    plan: Option<&DeploymentPlan>,
) -> Result<(), Failure> {
    let server = &context.server;
    let labels = format!("{LABEL_TYPE}={NATIVE},{LABEL_APP}={}", name.name);
    let found = server.list(Kind::ConfigMap, name, &labels).await?;
    let is_of_flink =
        |map: &&kube::core::DynamicObject| label(map, LABEL_CONFIG_MAP) == Some(HIGH_AVAILABILITY);
    let has_run = plan.is_some_and(|plan| {
        found.iter().filter(is_of_flink).any(|map| {
            let name = map.metadata.name.as_deref().unwrap_or_default();
            name.contains(&plan.job_id)
        })
    });
    for map in &found {
        let is_left = if is_of_flink(&map) {
            !has_run
        } else {
            plan.is_some_and(|plan| number(map).is_some_and(|number| number < plan.deployment))
        };
        let own = map.metadata.name.as_deref().unwrap_or_default();
        // Those without a number in their name are written anew with each deployment.
        let is_shared =
            own == format!("flink-config-{}", name.name) || own == format!("pod-template-{}", name.name);
        if is_left && !is_shared {
            let uid = map.metadata.uid.as_deref().unwrap_or_default();
            match server.delete(Kind::ConfigMap, &name.beside(own), uid, None).await {
                Ok(_) | Err(ServerError::Stale(_)) => {}
                Err(refused @ ServerError::Refused { .. }) => return Err(refused.into()),
            }
        }
    }
    Ok(())
}

/// Ends every process of this cluster, and of no other.
async fn stop(context: &Context, name: &Name, sight: &Sight, wanted: u64) -> Result<(), Failure> {
    let server = &context.server;
    let is_wanted = |of: Option<u64>| of.unwrap_or(1) == wanted;
    if let Some(deployment) = &sight.objects.deployment {
        if is_wanted(number(deployment)) && deployment.metadata.deletion_timestamp.is_none() {
            let uid = deployment.metadata.uid.as_deref().unwrap_or_default();
            server.delete_with_all(Kind::Deployment, name, uid).await?;
        }
        return Ok(());
    }
    for pod in &sight.objects.pods {
        if is_wanted(pod.number) && pod.may_run() && !pod.is_terminating {
            server
                .delete(Kind::Pod, &name.beside(pod.name.clone()), &pod.uid, None)
                .await?;
        }
    }
    Ok(())
}

/// What is to be done about a cluster by itself. Nothing of it depends on what the user wants.
pub(super) async fn keep(context: &Context, name: &Name, sight: &mut Sight) -> Result<(), Failure> {
    let server = &context.server;
    for upkeep in sight.view.upkeep.clone() {
        let annotate = |sight: &Sight, annotation: &str, value: &str| {
            let deployment = sight.objects.deployment.as_ref();
            let metadata = deployment.map(|deployment| &deployment.metadata);
            json!({ "metadata": {
                "uid": metadata.and_then(|metadata| metadata.uid.clone()),
                "resourceVersion": metadata.and_then(|metadata| metadata.resource_version.clone()),
                "annotations": { annotation: value },
            } })
        };
        let patch = match &upkeep {
            Upkeep::NoteLaunched(number) => {
                let metadata = &sight.object.metadata;
                let patch = json!({ "metadata": {
                    "uid": metadata.uid,
                    "resourceVersion": metadata.resource_version,
                    "annotations": { ANNOTATION_LAUNCHED: number.to_string() },
                } });
                patch_resource(context, name, sight, &patch).await?;
                continue;
            }
            Upkeep::Release(uid) => annotate(sight, ANNOTATION_RELEASED, uid),
            Upkeep::NoteRestored(number) => annotate(sight, ANNOTATION_RESTORED, &number.to_string()),
            Upkeep::NoteEnd(words) => annotate(sight, ANNOTATION_ENDED, words),
            Upkeep::OpenGate(pod) => {
                let patch = json!({
                    "metadata": { "uid": pod.uid },
                    "spec": { "schedulingGates": [] },
                });
                let pod = name.beside(pod.name.clone());
                server.merge(Kind::Pod, manager::CLUSTER, &pod, &patch).await?;
                continue;
            }
            Upkeep::End(pod) => {
                server
                    .delete(Kind::Pod, &name.beside(pod.name.clone()), &pod.uid, None)
                    .await?;
                continue;
            }
        };
        let mut patched = server
            .merge(Kind::Deployment, manager::CLUSTER, name, &patch)
            .await?;
        crate::object::trim(&mut patched);
        super::trim_cluster(Kind::Deployment, &mut patched);
        context.cache.update(Kind::Deployment, &patched);
        sight.objects.deployment = Some(patched);
    }
    Ok(())
}
