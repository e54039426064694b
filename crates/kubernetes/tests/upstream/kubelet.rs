//! What a cluster of machines does: pods come up or do not, and what nobody owns any more goes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::job_managers::{Cluster, JobManagers};
use crate::kinds::flink_deployments;

/// The image of a version whose job fails at once.
pub const FAILS: &str = "orders:fails";
/// The image of a version that does not exist.
pub const MISSING: &str = "orders:missing";

/// Acts until the task is dropped.
pub async fn act(client: Client, managers: JobManagers) {
    let mut seen = BTreeSet::new();
    loop {
        if let Err(error) = look(&client, &managers, &mut seen).await {
            // Objects come and go between the reading and the writing.
            eprintln!("the kubelet looks again: {error}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn look(
    client: &Client,
    managers: &JobManagers,
    seen: &mut BTreeSet<String>,
) -> Result<(), kube::Error> {
    // Owners are listed after what they own: one that came in between is not taken for one that is gone.
    let services: Vec<Service> = list(client).await?;
    let maps: Vec<ConfigMap> = list(client).await?;
    let pods: Vec<Pod> = list(client).await?;
    let deployments: Vec<Deployment> = list(client).await?;
    let children = flink_deployments(client, None)
        .list(&ListParams::default())
        .await?;
    let mut owners: BTreeSet<String> = children.iter().filter_map(kube::ResourceExt::uid).collect();
    let mut alive = Vec::new();
    for deployment in &deployments {
        let uid = deployment.uid().unwrap_or_default();
        let ownerless = !is_owned(deployment, &owners);
        if deployment.meta().deletion_timestamp.is_some() || ownerless {
            remove(client, deployment).await?;
            continue;
        }
        // Its ConfigMap comes after it.
        if !seen.contains(&uid) && bring_up(client, managers, deployment).await? {
            seen.insert(uid.clone());
        }
        alive.push(uid);
    }
    managers.keep(&alive);
    owners.extend(alive);
    collect(client, &services, &owners).await?;
    collect(client, &maps, &owners).await?;
    collect(client, &pods, &owners).await
}

async fn list<K>(client: &Client) -> Result<Vec<K>, kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let all: Api<K> = Api::all(client.clone());
    Ok(all.list(&ListParams::default()).await?.items)
}

fn is_owned<K: Resource>(object: &K, owners: &BTreeSet<String>) -> bool {
    let references = object.owner_references();
    references.is_empty() || references.iter().any(|owner| owners.contains(&owner.uid))
}

/// Deletes what belonged to an owner that is gone.
async fn collect<K>(client: &Client, owned: &[K], owners: &BTreeSet<String>) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    for object in owned {
        if !is_owned(object, owners) {
            remove(client, object).await?;
        }
    }
    Ok(())
}

/// Deletes at once, also one that waits for its dependents or for its containers.
async fn remove<K>(client: &Client, object: &K) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let name = object.name_any();
    if !object.finalizers().is_empty() {
        let none = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        gone_is_well(api.patch(&name, &PatchParams::default(), &none).await)?;
    }
    gone_is_well(api.delete(&name, &DeleteParams::default().grace_period(0)).await)
}

fn gone_is_well<T>(answer: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        answer => answer.map(|_| ()),
    }
}

/// The pod of a JobManager starts as its image lets it. Returns whether it could be started at all by now.
async fn bring_up(
    client: &Client,
    managers: &JobManagers,
    deployment: &Deployment,
) -> Result<bool, kube::Error> {
    let (namespace, name) = (deployment.namespace().unwrap_or_default(), deployment.name_any());
    let uid = deployment.uid().unwrap_or_default();
    let template = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.spec.as_ref());
    let image = template
        .and_then(|pod| pod.containers.first()?.image.clone())
        .unwrap_or_default();
    let available = image != MISSING;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    let Some(map) = maps.get_opt(&format!("flink-config-{name}")).await? else {
        return Ok(false);
    };
    // One of an earlier Deployment is about to go.
    if !map.owner_references().iter().any(|owner| owner.uid == uid) {
        return Ok(false);
    }
    pod(client, deployment, &image).await?;
    let text = map
        .data
        .as_ref()
        .and_then(|data| data.get("flink-conf.yaml"))
        .cloned()
        .unwrap_or_default();
    let key = |wanted: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            (key == wanted).then(|| value.trim().to_owned())
        })
    };
    if available {
        let state = if image == FAILS { "FAILED" } else { "RUNNING" };
        let job = key("$internal.pipeline.job-id").unwrap_or_default();
        managers.up(
            &namespace,
            &name,
            Cluster::new(uid, job, key("execution.savepoint.path"), state),
        );
    }
    let count = i32::from(available);
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = json!({ "status": {
        "observedGeneration": deployment.meta().generation,
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": count, "availableReplicas": count,
        "unavailableReplicas": 1 - count,
        "conditions": [{
            "type": "Available",
            "status": if available { "True" } else { "False" },
            "reason": if available { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" },
            "message": "As the test says.",
            "lastUpdateTime": now,
            "lastTransitionTime": now,
        }]
    }});
    let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    gone_is_well(
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
            .await,
    )?;
    Ok(true)
}

/// The pod: upstream's operator reads why its container does not start.
async fn pod(client: &Client, deployment: &Deployment, image: &str) -> Result<(), kube::Error> {
    let namespace = deployment.namespace().unwrap_or_default();
    let name = format!("{}-1", deployment.name_any());
    let labels = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.metadata.as_ref()?.labels.clone());
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment",
                "name": deployment.name_any(), "uid": deployment.uid(),
            }],
        },
        "spec": {
            "automountServiceAccountToken": false,
            "serviceAccountName": "flink",
            "containers": [{ "name": "flink-main-container", "image": image }],
        },
    });
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let pod: Pod = serde_json::from_value(pod).map_err(kube::Error::SerdeError)?;
    let _ = gone_is_well(pods.delete(&name, &DeleteParams::default().grace_period(0)).await);
    pods.create(&PostParams::default(), &pod).await?;
    let state = if image == MISSING {
        json!({ "waiting": { "reason": "ImagePullBackOff", "message": format!("Back-off pulling image \"{image}\"") } })
    } else {
        json!({ "running": { "startedAt": null } })
    };
    let ready = image != MISSING;
    let status: Value = json!({ "status": {
        "phase": if ready { "Running" } else { "Pending" },
        "containerStatuses": [{
            "name": "flink-main-container", "image": image, "imageID": "", "ready": ready, "restartCount": 0, "state": state,
        }],
    }});
    gone_is_well(
        pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
            .await,
    )
}
