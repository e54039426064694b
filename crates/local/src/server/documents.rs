//! Checks the documents of an apply, all of them, before anything is stored.

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::api::networking::v1::Ingress;
use serde_json::Value;
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment, Problem};

use crate::client::DocumentProblem;
use crate::store::{Kind, Object};

/// The objects of the documents, or every problem of every document.
pub(super) fn read(
    documents: Vec<Value>,
    defaults: &BTreeMap<String, String>,
) -> Result<Vec<Object>, Vec<DocumentProblem>> {
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for (number, document) in documents.into_iter().enumerate() {
        let name = describe(number, &document);
        let found = match check(document, defaults) {
            Ok(object) if seen.insert(object.key.clone()) => {
                objects.push(object);
                continue;
            }
            Ok(_) => vec![Problem::new(
                "metadata.name",
                "stands in an earlier document, too; keep one of them",
            )],
            Err(found) => found,
        };
        problems.extend(found.into_iter().map(|problem| DocumentProblem {
            document: number,
            object: name.clone(),
            field: problem.field,
            message: problem.message,
        }));
    }
    if problems.is_empty() {
        Ok(objects)
    } else {
        Err(problems)
    }
}

/// What a document calls itself, as far as it can be told.
fn describe(number: usize, document: &Value) -> String {
    let text = |path: &str| document.pointer(path).and_then(Value::as_str);
    match (text("/kind"), text("/metadata/name")) {
        (Some(kind), Some(name)) => format!("{kind} {name}"),
        (Some(kind), None) => format!("document {} ({kind})", number + 1),
        _ => format!("document {}", number + 1),
    }
}

fn check(document: Value, defaults: &BTreeMap<String, String>) -> Result<Object, Vec<Problem>> {
    let one = |field: &str, message: String| vec![Problem::new(field, message)];
    let Value::Object(fields) = &document else {
        return Err(one(
            "",
            "is not a map of fields; expected apiVersion, kind, metadata and spec".to_owned(),
        ));
    };
    let text = |field: &str| fields.get(field).and_then(Value::as_str);
    let Some(kind) = text("kind") else {
        return Err(one(
            "kind",
            "is missing; expected FlinkBlueGreenDeployment, FlinkDeployment or Ingress".to_owned(),
        ));
    };
    let Some(kind) = Kind::ALL.into_iter().find(|known| known.name() == kind) else {
        return Err(one(
            "kind",
            format!(
                "found `{kind}`, which a local runner does not know; expected FlinkBlueGreenDeployment, FlinkDeployment or Ingress"
            ),
        ));
    };
    let found = text("apiVersion").unwrap_or_default();
    if found != kind.api_version() {
        return Err(one(
            "apiVersion",
            format!("found `{found}`, expected `{}`", kind.api_version()),
        ));
    }
    let name = document
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if name.is_empty() {
        return Err(one(
            "metadata.name",
            "is missing; give the object a name".to_owned(),
        ));
    }
    typed(kind, &document, defaults)?;
    let mut object = Object::from_value(document).map_err(|error| one("metadata", error.to_string()))?;
    // As kubectl's server does: what the server gives is not for the manifest to say.
    object.metadata.uid = None;
    object.metadata.resource_version = None;
    object.metadata.managed_fields = None;
    object.body.remove("status");
    Ok(object)
}

/// Reads the document as its type and checks its rules.
fn typed(kind: Kind, document: &Value, defaults: &BTreeMap<String, String>) -> Result<(), Vec<Problem>> {
    match kind {
        Kind::FlinkBlueGreenDeployment => {
            let resource: FlinkBlueGreenDeployment = of_type(document)?;
            sluice_api::validate(&resource, defaults).map(|_| ())
        }
        Kind::FlinkDeployment => {
            let resource: FlinkDeployment = of_type(document)?;
            sluice_api::validate_flink_deployment(&resource).map(|_| ())
        }
        Kind::Ingress => of_type::<Ingress>(document).map(|_| ()),
    }
}

fn of_type<T: serde::de::DeserializeOwned>(document: &Value) -> Result<T, Vec<Problem>> {
    serde_json::from_value(document.clone()).map_err(|error| vec![Problem::new("spec", error.to_string())])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_problem_of_every_document_is_told_at_once() {
        let documents = vec![
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" } }),
            json!({ "apiVersion": "v1", "kind": "FlinkDeployment", "metadata": { "name": "orders" } }),
            json!("a text"),
            json!({ "apiVersion": sluice_api::API_VERSION, "kind": "FlinkDeployment", "metadata": {} }),
            json!({
                "apiVersion": sluice_api::API_VERSION,
                "kind": "FlinkBlueGreenDeployment",
                "metadata": { "name": "orders" },
                "spec": {},
            }),
        ];
        let problems = read(documents, &BTreeMap::new()).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("Deployment web: kind: found `Deployment`")
                && told[0].ends_with(" or Ingress"),
            "{told:?}"
        );
        assert!(
            told[1].starts_with("FlinkDeployment orders: apiVersion: found `v1`"),
            "{told:?}"
        );
        assert!(told[2].starts_with("document 3: is not a map"), "{told:?}");
        assert!(
            told[3].starts_with("document 4 (FlinkDeployment): metadata.name: is missing"),
            "{told:?}"
        );
        assert!(
            problems[4..].iter().all(|problem| problem.document == 4),
            "{told:?}"
        );
        assert!(problems.len() > 4);
    }
}
