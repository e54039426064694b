//! Reading resources that people wrote: every value of a wrong type is reported, with its path, before anything else.

use std::sync::LazyLock;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::API_VERSION;
use crate::blue_green::{FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec};
use crate::crd::{Kind, schema_of};
use crate::flink_deployment::{FlinkDeployment, FlinkDeploymentSpec};
use crate::problem::Problem;

/// The schema of what people write: no status, which is read leniently.
static BLUE_GREEN: LazyLock<Value> = LazyLock::new(|| written(schema_of::<FlinkBlueGreenDeploymentSpec>()));
static FLINK_DEPLOYMENT: LazyLock<Value> = LazyLock::new(|| written(schema_of::<FlinkDeploymentSpec>()));

fn written(spec: Value) -> Value {
    let mut schema = json!({ "type": "object", "properties": { "metadata": schema_of::<ObjectMeta>() } });
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.insert("spec".into(), spec);
    }
    schema
}

/// Reads a FlinkBlueGreenDeployment. The problems are those of [`check_types`].
pub fn read_blue_green(value: &Value) -> Result<FlinkBlueGreenDeployment, Vec<Problem>> {
    read(value, Kind::FlinkBlueGreenDeployment)
}

/// Reads a FlinkDeployment. The problems are those of [`check_types`].
pub fn read_flink_deployment(value: &Value) -> Result<FlinkDeployment, Vec<Problem>> {
    read(value, Kind::FlinkDeployment)
}

fn read<T: DeserializeOwned>(value: &Value, kind: Kind) -> Result<T, Vec<Problem>> {
    let problems = check_types(value, kind);
    if !problems.is_empty() {
        return Err(problems);
    }
    serde_json::from_value(value.clone())
        .map_err(|error| vec![Problem::new(kind.name(), format!("cannot be read: {error}"))])
}

/// Every value that is not of the type of its field, and every one that is none of an enumeration's.
///
/// Fields that the schema does not name are no problem. A null counts as absent. The status is not looked at.
pub fn check_types(value: &Value, kind: Kind) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", kind.name())] {
        match value.get(field) {
            Some(found) if found == expected => {}
            Some(found) => problems.push(Problem::new(
                field,
                format!("found {}, expected `{expected}`", describe(found)),
            )),
            None => problems.push(Problem::new(field, format!("is missing, expected `{expected}`"))),
        }
    }
    let schema = match kind {
        Kind::FlinkBlueGreenDeployment => &*BLUE_GREEN,
        Kind::FlinkDeployment => &*FLINK_DEPLOYMENT,
    };
    check(schema, value, "", &mut problems);
    problems
}

fn check(schema: &Value, value: &Value, path: &str, problems: &mut Vec<Problem>) {
    if value.is_null() {
        return;
    }
    if let Some(expected) = mismatch(schema, value) {
        let path = if path.is_empty() { "the resource" } else { path };
        problems.push(Problem::new(
            path,
            format!("found {}, expected {expected}", describe(value)),
        ));
        return;
    }
    match value {
        Value::Object(fields) => {
            let values = schema.get("additionalProperties");
            for (name, value) in fields {
                let property = schema.get("properties").and_then(|it| it.get(name));
                if let Some(schema) = property.or(values) {
                    check(schema, value, &join(path, name), problems);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (number, item) in items.iter().enumerate() {
                    check(schema, item, &format!("{path}[{number}]"), problems);
                }
            }
        }
        _ => {}
    }
}

/// What is expected instead, if the value does not fit the schema's type.
fn mismatch(schema: &Value, value: &Value) -> Option<String> {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        let fits = value.is_i64() || value.is_u64() || value.is_string();
        let hint = if value.is_number() {
            "; put it in quotes"
        } else {
            ""
        };
        return (!fits).then(|| format!("an integer or a string{hint}"));
    }
    let expected = match schema.get("type")?.as_str()? {
        "object" if !value.is_object() => "a map",
        "array" if !value.is_array() => "a list",
        "boolean" if !value.is_boolean() => "`true` or `false`",
        "number" if !value.is_number() => "a number",
        "integer" => return integer_mismatch(schema, value),
        "string" => return text_mismatch(schema, value),
        _ => return None,
    };
    Some(expected.to_owned())
}

fn integer_mismatch(schema: &Value, value: &Value) -> Option<String> {
    if !value.is_i64() && !value.is_u64() {
        return Some("an integer".to_owned());
    }
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let fits = value
        .as_i64()
        .is_some_and(|number| (least..=most).contains(&number));
    (!fits).then(|| format!("an integer from {least} to {most}"))
}

fn text_mismatch(schema: &Value, value: &Value) -> Option<String> {
    let Some(text) = value.as_str() else {
        let hint = if value.is_number() || value.is_boolean() {
            "a string; put it in quotes"
        } else {
            "a string"
        };
        return Some(hint.to_owned());
    };
    if let Some(Value::Array(allowed)) = schema.get("enum") {
        if allowed.contains(value) {
            return None;
        }
        let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        return Some(match names.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            names => names.join(", "),
        });
    }
    if schema.get("format").is_some_and(|format| format == "date-time") && text.parse::<Timestamp>().is_err()
    {
        return Some("a time such as `2026-01-31T12:00:00Z`".to_owned());
    }
    None
}

/// The value in a sentence.
fn describe(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) if text.chars().count() > LONGEST => {
            let beginning: String = text.chars().take(LONGEST).collect();
            format!("{:?}", format!("{beginning}..."))
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// The path of a field: `spec.job`, or `spec.configuration[a.b]` for a name with dots.
fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{name}]"),
    }
}
