//! From what the API server sends to the types that are decided on.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use sluice_api::metadata::ANNOTATION_RETRY;
use sluice_api::validation::Problem;
use sluice_api::{FlinkBlueGreenDeployment, read};
use sluice_core::bluegreen::rival::{STATUS_MANAGER, is_operator};

use crate::kind::Name;
use crate::server::manager;

/// Where the managed fields tell who wrote [`ANNOTATION_RETRY`]: a JSON pointer.
pub(crate) const RETRY_FIELD: &str = "/f:metadata/f:annotations/f:flink~1blue-green-retry";

/// Namespace and name of an object.
pub(crate) fn name_of(object: &DynamicObject) -> Name {
    Name::new(
        object.metadata.namespace.clone().unwrap_or_default(),
        object.metadata.name.clone().unwrap_or_default(),
    )
}

/// The object as a type. Errors: in words, without the object's name.
pub(crate) fn typed<T: DeserializeOwned>(object: &DynamicObject) -> Result<T, String> {
    let value = serde_json::to_value(object).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| format!("it cannot be read: {error}"))
}

/// A FlinkBlueGreenDeployment, and what of its specification cannot be read: then the specification is left empty, so that
/// nothing of it is acted on.
pub(crate) fn resource(object: &DynamicObject) -> Result<(FlinkBlueGreenDeployment, Vec<Problem>), String> {
    let mut value = serde_json::to_value(object).map_err(|error| error.to_string())?;
    match read::read_blue_green(&value) {
        Ok(resource) => Ok((resource, Vec::new())),
        Err(problems) => {
            if let Value::Object(fields) = &mut value {
                fields.insert("spec".to_owned(), json!({}));
            }
            let readable = serde_json::from_value(value).map_err(|error| {
                let listed: Vec<String> = problems.iter().map(ToString::to_string).collect();
                format!("it cannot be read: {}; {error}", listed.join("; "))
            })?;
            Ok((readable, problems))
        }
    }
}

/// Drops what nobody decides on, before an object is kept: of the managed fields only who wrote the status, and who asked for
/// a FlinkDeployment to be tried again.
pub(crate) fn trim(object: &mut DynamicObject) {
    if let Some(entries) = object.metadata.managed_fields.take() {
        let kept: Vec<_> = entries.into_iter().filter_map(trimmed).collect();
        object.metadata.managed_fields = (!kept.is_empty()).then_some(kept);
    }
}

/// Whoever changes the state takes it over, and it stands no more among the fields of the one before. That Sluice has written
/// before another did, and when, is told by whatever is left to it.
fn trimmed(entry: ManagedFieldsEntry) -> Option<ManagedFieldsEntry> {
    let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
    let has = |pointer: &str| fields.is_some_and(|fields| fields.pointer(pointer).is_some());
    let writes_state = has("/f:status/f:blueGreenState");
    let manager = entry.manager.as_deref().unwrap_or_default();
    let operates = [STATUS_MANAGER, manager::DEPLOYMENT_STATUS].contains(&manager) || is_operator(manager);
    let kept = if entry.subresource.as_deref() == Some("status") && (writes_state || operates) {
        let mut status = Map::new();
        for name in ["f:blueGreenState", "f:sluice"] {
            if has(&format!("/f:status/{name}")) {
                status.insert(name.to_owned(), json!({}));
            }
        }
        json!({ "f:status": status })
    } else if entry.subresource.is_none() && has(RETRY_FIELD) {
        json!({ "f:metadata": { "f:annotations": { (format!("f:{ANNOTATION_RETRY}")): {} } } })
    } else {
        return None;
    };
    Some(ManagedFieldsEntry {
        fields_v1: Some(FieldsV1(kept)),
        ..entry
    })
}
