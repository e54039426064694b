//! What the garbage collector of a controller-manager would do: objects whose owner is gone go, in the background.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Preconditions};
use serde_json::Value;

use crate::kinds::{Kind, text};
use crate::scenario::RESOURCE;
use crate::scene::Scene;

const INTERVAL: Duration = Duration::from_millis(200);

/// Collects in the namespace of the scene until the task is dropped.
pub(crate) async fn act(client: Client, scene: Arc<Scene>) {
    let mut asked = BTreeSet::new();
    loop {
        tokio::time::sleep(INTERVAL).await;
        for (kind, name, uid, owner) in orphans(&scene) {
            if asked.contains(&uid) || lives(&client, &scene, &owner).await {
                continue;
            }
            let parameters = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: Some(uid.clone()),
                    resource_version: None,
                }),
                ..DeleteParams::background()
            };
            if kind
                .within(&client, scene.namespace())
                .delete(&name, &parameters)
                .await
                .is_ok()
            {
                asked.insert(uid);
            }
        }
    }
}

/// What belongs to an owner that was not seen: kind, name, uid, the owner's uid.
fn orphans(scene: &Scene) -> Vec<(Kind, String, String, String)> {
    let inner = scene.lock();
    let present = inner
        .resource
        .as_ref()
        .map(|resource| text(resource, "/metadata/uid"));
    let of = |kind: Kind, object: &Value| {
        let owner = object
            .pointer("/metadata/ownerReferences/0/uid")
            .and_then(Value::as_str)?;
        let deleting = object.pointer("/metadata/deletionTimestamp").is_some();
        (Some(owner) != present && !deleting).then(|| {
            let at = |pointer| text(object, pointer).to_owned();
            (kind, at("/metadata/name"), at("/metadata/uid"), owner.to_owned())
        })
    };
    let children = inner.children.values().filter_map(|child| of(Kind::Flink, child));
    let ingresses = inner
        .ingresses
        .values()
        .filter_map(|ingress| of(Kind::Ingress, ingress));
    children.chain(ingresses).collect()
}

/// Whether the owner is there: asked afresh, for the watches of two kinds are not in step.
async fn lives(client: &Client, scene: &Scene, owner: &str) -> bool {
    match Kind::BlueGreen
        .within(client, scene.namespace())
        .get_opt(RESOURCE)
        .await
    {
        Ok(Some(resource)) => resource.metadata.uid.as_deref() == Some(owner),
        Ok(None) => false,
        // Could not be asked: nothing is deleted on the strength of that.
        Err(_) => true,
    }
}
