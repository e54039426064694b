//! The CustomResourceDefinitions, made from the types, so that the two never differ.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::blue_green::{FlinkBlueGreenDeploymentSpec, FlinkBlueGreenDeploymentStatus};
use crate::flink_deployment::{FlinkDeploymentSpec, FlinkDeploymentStatus};
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
    let mut spec = schema_of::<FlinkBlueGreenDeploymentSpec>();
    for (pointer, rules) in blue_green_rules() {
        if let Some(Value::Object(schema)) = spec.pointer_mut(pointer) {
            schema.insert(RULES.into(), rules);
        }
    }
    definition(
        Kind::FlinkBlueGreenDeployment,
        &json!([
            column("Job Status", "string", ".status.jobStatus.state"),
            column("State", "string", ".status.blueGreenState"),
            column("Age", "date", ".metadata.creationTimestamp"),
        ]),
        &json!({ "status": {} }),
        &resource(
            "A Flink job that is upgraded blue/green.",
            spec,
            schema_of::<FlinkBlueGreenDeploymentStatus>(),
            name_rules(
                39,
                "the children are named `<name>-blue` and `<name>-green`, and Flink on Kubernetes takes at most 45",
            ),
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
        &resource(
            "A Flink cluster and its job.",
            schema_of::<FlinkDeploymentSpec>(),
            schema_of::<FlinkDeploymentStatus>(),
            name_rules(45, "Flink's names on Kubernetes are made from it"),
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

const RULES: &str = "x-kubernetes-validations";

fn rule(rule: &str, message: &str) -> Value {
    json!({ "rule": rule, "message": message })
}

/// What Sluice's own validation says too, said as early as the API server can.
fn name_rules(longest: usize, reason: &str) -> Value {
    json!([
        rule(
            &format!("size(self.metadata.name) <= {longest}"),
            &format!("metadata.name: expected at most {longest} characters, because {reason}"),
        ),
        rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "metadata.name: expected lower-case letters, digits and `-`, beginning with a letter and not ending with `-`",
        ),
    ])
}

/// Rules of the blue/green specification by the place of their schema.
fn blue_green_rules() -> [(&'static str, Value); 4] {
    let ingress = json!([rule(
        "has(self.template) && self.template != ''",
        "template: is missing, expected host and path such as `{{name}}.example.org`",
    )]);
    [
        (
            "",
            json!([rule(
                "has(self.template) && has(self.template.spec) && has(self.template.spec.job)",
                "template.spec.job: is missing; a session cluster cannot be upgraded blue/green",
            )]),
        ),
        ("/properties/ingress", ingress.clone()),
        ("/properties/template/properties/spec/properties/ingress", ingress),
        (
            "/properties/template/properties/spec/properties/job",
            json!([
                rule(
                    "!has(self.initialSavepointPath) || self.initialSavepointPath != ''",
                    "initialSavepointPath: found an empty text, expected the path of a savepoint, or leave the field out",
                ),
                rule(
                    "!has(self.savepointRedeployNonce) || has(self.initialSavepointPath)",
                    "savepointRedeployNonce: is set without initialSavepointPath, expected the path of the savepoint to deploy from",
                ),
            ]),
        ),
    ]
}

fn column(name: &str, kind: &str, path: &str) -> Value {
    json!({ "name": name, "type": kind, "jsonPath": path })
}

fn resource(description: &str, spec: Value, status: Value, rules: Value) -> Value {
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
    schema.insert(RULES.into(), rules);
    schema.into()
}

fn definition(kind: Kind, columns: &Value, subresources: &Value, schema: &Value) -> Value {
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
