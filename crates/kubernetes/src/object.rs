//! From what the API server sends to the types that are decided on.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_api::validation::Problem;
use sluice_api::{FlinkBlueGreenDeployment, read};

use sluice_core::bluegreen::rival::STATUS_MANAGER;

use crate::kind::Name;

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

/// Drops what nobody decides on, before an object is kept: of the managed fields only who wrote the blue/green state.
pub(crate) fn trim(object: &mut DynamicObject) {
    if let Some(entries) = object.metadata.managed_fields.take() {
        let kept: Vec<_> = entries.into_iter().filter_map(writer_of_state).collect();
        object.metadata.managed_fields = (!kept.is_empty()).then_some(kept);
    }
}

/// Whoever changes the state takes it over, and it stands no more among the fields of the one before. That Sluice has written
/// before another did, and when, is told by whatever is left to it.
fn writer_of_state(entry: ManagedFieldsEntry) -> Option<ManagedFieldsEntry> {
    let writes = entry
        .fields_v1
        .as_ref()
        .and_then(|fields| fields.0.pointer("/f:status/f:blueGreenState"))
        .is_some();
    let ours = entry.manager.as_deref() == Some(STATUS_MANAGER);
    let fields = if writes {
        json!({ "f:status": { "f:blueGreenState": {} } })
    } else {
        json!({ "f:status": {} })
    };
    ((writes || ours) && entry.subresource.as_deref() == Some("status")).then(|| ManagedFieldsEntry {
        fields_v1: Some(FieldsV1(fields)),
        ..entry
    })
}
