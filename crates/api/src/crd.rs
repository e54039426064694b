//! The CustomResourceDefinitions, made from the types, so that the two never differ.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::blue_green::{FlinkBlueGreenDeploymentSpec, FlinkBlueGreenDeploymentStatus};
use crate::flink_deployment::{FlinkDeploymentSpec, FlinkDeploymentStatus};
use crate::rules;
use crate::structural::{PRESERVE, structural};
use crate::{GROUP, VERSION};

/// The two kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A job that is upgraded blue/green.
    FlinkBlueGreenDeployment,
    /// One cluster and its job.
    FlinkDeployment,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::FlinkBlueGreenDeployment, Self::FlinkDeployment];

    /// As it stands in `kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "FlinkBlueGreenDeployment",
            Self::FlinkDeployment => "FlinkDeployment",
        }
    }

    /// As it stands in the addresses of the API server.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "flinkbluegreendeployments",
            Self::FlinkDeployment => "flinkdeployments",
        }
    }

    /// Upstream's short name for `kubectl`.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "flinkbgdep",
            Self::FlinkDeployment => "flinkdep",
        }
    }

    /// Its CustomResourceDefinition.
    pub fn definition(self) -> Value {
        match self {
            Self::FlinkBlueGreenDeployment => blue_green(),
            Self::FlinkDeployment => flink_deployment(),
        }
    }
}

/// The CustomResourceDefinition of [`crate::FlinkBlueGreenDeployment`].
pub fn blue_green() -> Value {
    definition(
        Kind::FlinkBlueGreenDeployment,
        &json!([
            column("State", "string", ".status.blueGreenState"),
            column("Active", "string", ".status.active"),
            column("Job Status", "string", ".status.jobStatus.state"),
            column("Ready", "string", &condition("Available", "status")),
            column("Progress", "string", &condition("Progressing", "reason")),
            column("Age", "date", ".metadata.creationTimestamp"),
            wide("Waiting For", &condition("Progressing", "message")),
            wide("Error", ".status.error"),
        ]),
        &json!({ "status": {} }),
        resource(
            "A Flink job that is upgraded blue/green.",
            schema_of::<FlinkBlueGreenDeploymentSpec>(),
            schema_of::<FlinkBlueGreenDeploymentStatus>(),
        ),
    )
}

/// The CustomResourceDefinition of [`crate::FlinkDeployment`].
///
/// It has no rule that would keep out what the upstream operator can run and Sluice cannot, such as session clusters:
/// the two may share it.
pub fn flink_deployment() -> Value {
    definition(
        Kind::FlinkDeployment,
        &json!([
            column("Job Status", "string", ".status.jobStatus.state"),
            column("Lifecycle State", "string", ".status.lifecycleState"),
        ]),
        &json!({
            "scale": {
                "labelSelectorPath": ".status.taskManager.labelSelector",
                "specReplicasPath": ".spec.taskManager.replicas",
                "statusReplicasPath": ".status.taskManager.replicas",
            },
            "status": {},
        }),
        resource(
            "A Flink cluster and its job.",
            schema_of::<FlinkDeploymentSpec>(),
            schema_of::<FlinkDeploymentStatus>(),
        ),
    )
}

/// The structural schema of a type.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut root = generator.into_root_schema_for::<T>().to_value();
    let definitions = match root.get_mut("$defs").map(Value::take) {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let mut schema = structural(&root, &definitions);
    adjust_pod_templates(&mut schema);
    schema
}

/// Fields of a pod that upstream's CRDs declare and that are newer than the Kubernetes version of our types. A pod's
/// status has no meaning in a template; it may stand there, and is not described.
fn adjust_pod_templates(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for (name, field) in fields {
        if name == "podTemplate" {
            drop_time_formats(field);
            if let Some(status) = field.pointer_mut("/properties/status") {
                *status = json!({ "type": "object", PRESERVE: true });
            }
            add_property(
                field,
                "/properties/spec/properties",
                "schedulingGroup",
                json!({ "type": "object", "properties": { "podGroupName": { "type": "string" } }, PRESERVE: true }),
            );
            add_property(
                field,
                "/properties/spec/properties/volumes/items/properties/projected/properties/sources/items\
                 /properties/podCertificate/properties",
                "userAnnotations",
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            );
        } else {
            adjust_pod_templates(field);
        }
    }
}

/// Upstream takes any text for the moments in a pod template, so nothing more is asked of them here.
fn drop_time_formats(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, field| name != "format" || field != "date-time");
            fields.values_mut().for_each(drop_time_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_time_formats),
        _ => {}
    }
}

fn add_property(schema: &mut Value, properties: &str, name: &str, property: Value) {
    if let Some(Value::Object(properties)) = schema.pointer_mut(properties) {
        properties.entry(name).or_insert(property);
    }
}

fn column(name: &str, kind: &str, path: &str) -> Value {
    json!({ "name": name, "type": kind, "jsonPath": path })
}

/// A column of `kubectl get -o wide`.
fn wide(name: &str, path: &str) -> Value {
    json!({ "name": name, "type": "string", "jsonPath": path, "priority": 1 })
}

/// The path of a field of the condition of one type.
fn condition(kind: &str, field: &str) -> String {
    format!(r#".status.conditions[?(@.type=="{kind}")].{field}"#)
}

/// How server-side apply merges a status: conditions one by one, by their type; the other lists, and what describes one
/// thing at one moment, as a whole, so that no field of an earlier step stays behind.
fn add_topology(status: &mut Value) {
    let Some(Value::Object(fields)) = status.get_mut("properties") else {
        return;
    };
    for (name, keyword, value) in [
        ("conditions", "x-kubernetes-list-type", "map"),
        ("savepoints", "x-kubernetes-list-type", "atomic"),
        ("history", "x-kubernetes-list-type", "atomic"),
        ("transition", "x-kubernetes-map-type", "atomic"),
        ("failed", "x-kubernetes-map-type", "atomic"),
        ("kept", "x-kubernetes-map-type", "atomic"),
    ] {
        if let Some(Value::Object(field)) = fields.get_mut(name) {
            field.insert(keyword.into(), json!(value));
        }
    }
    if let Some(Value::Object(conditions)) = fields.get_mut("conditions") {
        conditions.insert("x-kubernetes-list-map-keys".into(), json!(["type"]));
        if let Some(Value::Object(condition)) = conditions.get_mut("items") {
            condition.insert("required".into(), json!(["type"]));
        }
    }
}

fn resource(description: &str, spec: Value, mut status: Value) -> Value {
    add_topology(&mut status);
    let mut properties = Map::new();
    for field in ["apiVersion", "kind"] {
        properties.insert(field.into(), json!({ "type": "string" }));
    }
    properties.insert("metadata".into(), json!({ "type": "object" }));
    properties.insert("spec".into(), spec);
    properties.insert("status".into(), status);
    let mut schema = Map::new();
    schema.insert("description".into(), json!(description));
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), properties.into());
    schema.into()
}

fn definition(kind: Kind, columns: &Value, subresources: &Value, mut schema: Value) -> Value {
    rules::add(kind, &mut schema);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{}.{GROUP}", kind.plural()) },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.name(),
                "plural": kind.plural(),
                "shortNames": [kind.short_name()],
                "singular": kind.name().to_ascii_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns,
                "subresources": subresources,
                "schema": { "openAPIV3Schema": schema },
            }],
        },
    })
}
