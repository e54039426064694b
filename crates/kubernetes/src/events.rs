//! Events: what was decided, told to people.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as KubernetesEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;
use sluice_api::API_VERSION;
use sluice_core::{Event, EventKind, identity};

use crate::context::Context;
use crate::kind::{Kind, Name};
use crate::server::{Server, ServerError, manager};

/// As Kubernetes allows in `note`.
const LONGEST_NOTE: usize = 1000;
/// As it stands in `reportingController`.
const CONTROLLER: &str = "sluice.flink.apache.org/blue-green";
/// The same of the one that looks after FlinkDeployments.
const DEPLOYMENT_CONTROLLER: &str = "sluice.flink.apache.org/deployment";

/// Tells what was decided of an object. That an event could not be told is no reason to stop.
pub(crate) async fn tell(context: &Context, kind: Kind, metadata: &ObjectMeta, events: &[Event]) {
    let name = Name::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    );
    for (number, event) in events.iter().enumerate() {
        tracing::info!(resource = %name, reason = event.reason, "{}", event.message);
        context.metrics.told(event.reason);
        if let Err(error) = publish(&context.server, &context.instance, kind, metadata, number, event).await {
            tracing::warn!(resource = %name, "an event could not be told: {error}");
        }
    }
}

/// Tells an event. Each has a name derived from the version of the resource that it belongs to, so that telling it twice is
/// telling it once.
async fn publish(
    server: &Server,
    instance: &str,
    kind: Kind,
    metadata: &ObjectMeta,
    number: usize,
    event: &Event,
) -> Result<(), ServerError> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (name, namespace) = (text(&metadata.name), text(&metadata.namespace));
    let id = identity::content_hash(&(&metadata.uid, &metadata.resource_version, number, event.reason));
    let object = KubernetesEvent {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{id}")),
            namespace: Some(namespace.clone()),
            ..ObjectMeta::default()
        },
        action: Some(event.reason.to_owned()),
        reason: Some(event.reason.to_owned()),
        note: Some(shortened(&event.message)),
        type_: Some(match event.kind {
            EventKind::Normal => "Normal".to_owned(),
            EventKind::Warning => "Warning".to_owned(),
        }),
        event_time: Some(MicroTime(Timestamp::now())),
        reporting_controller: Some(if kind == Kind::FlinkDeployment {
            DEPLOYMENT_CONTROLLER.to_owned()
        } else {
            CONTROLLER.to_owned()
        }),
        reporting_instance: Some(instance.to_owned()),
        regarding: Some(ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(kind.name().to_owned()),
            name: Some(name.clone()),
            namespace: Some(namespace.clone()),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            field_path: None,
        }),
        ..KubernetesEvent::default()
    };
    let api: Api<KubernetesEvent> = Api::namespaced(server.client().clone(), &namespace);
    let parameters = PostParams {
        dry_run: false,
        field_manager: Some(manager::EVENT.to_owned()),
    };
    let request = api.create(&parameters, &object);
    let about = Name::new(namespace.clone(), name);
    match server.ask("create", "Event", &about, request).await {
        Ok(_) | Err(ServerError::Stale(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_NOTE {
        return text.to_owned();
    }
    let mut end = LONGEST_NOTE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}
