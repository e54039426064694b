//! What must not depend on what went wrong on the way.

use serde_json::{Map, Value, json};

use super::views::{Been, Seen, at};

/// The end of a run, without what is different each time: times, paths, uids.
pub fn end(seen: &Seen) -> Value {
    let status = |pointer: &str| plain(seen.status(pointer));
    let history: Vec<Value> = list(seen.status("/history"))
        .iter()
        .map(|entry| {
            let of = |field: &str| plain(&entry[field]);
            json!([
                of("transition"),
                of("from"),
                of("to"),
                of("cause"),
                of("outcome"),
                of("savepoint"),
                of("restoredFrom")
            ])
        })
        .collect();
    let conditions: Map<String, Value> = list(seen.status("/conditions"))
        .iter()
        .map(|it| {
            (
                it["type"].as_str().unwrap_or_default().to_owned(),
                json!([it["status"], it["reason"]]),
            )
        })
        .collect();
    let child = |object: &Option<Value>| {
        object.as_ref().map(|object| {
            let object = Some(object);
            json!({
                "spec": plain(at(object, "/spec")),
                "generation": at(object, "/metadata/generation"),
                "labels": at(object, "/metadata/labels"),
                "restoredFrom": plain(at(object, "/metadata/annotations/flink~1blue-green-restored-from")),
                "deleted": !at(object, "/metadata/deletionTimestamp").is_null(),
            })
        })
    };
    json!({
        "state": status("/blueGreenState"),
        "job": status("/jobStatus/state"),
        "error": status("/error"),
        "active": status("/active"),
        "number": status("/transitionNumber"),
        "transition": status("/transition/step/name"),
        "failed": seen.status("/failed").is_object(),
        "kept": status("/kept/color"),
        "trigger": status("/savepointTriggerId"),
        "savepoints": list(seen.status("/savepoints")).len(),
        "reconciled": status("/lastReconciledSpec"),
        "history": history,
        "conditions": conditions,
        "blue": child(&seen.blue),
        "green": child(&seen.green),
        "ingress": seen.ingress.as_ref().map(|ingress| plain(&ingress["spec"])),
    })
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// Without the paths of savepoints and checkpoints.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("s3://flink/savepoints/") => json!("<a savepoint>"),
        Value::String(text) if text.starts_with("s3://flink/checkpoints/") => json!("<a checkpoint>"),
        // Until when it was waited for, and how far it was by then.
        Value::String(text) => json!(
            text.split_once(" by 20")
                .map_or(text.as_str(), |(before, _)| before)
        ),
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect();
            Value::Object(fields)
        }
        other => other.clone(),
    }
}

/// Where two values differ, a line each.
pub fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", expected, found, &mut lines);
    lines
}

fn compare(place: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                compare(
                    &format!("{place}/{key}"),
                    &expected[key.as_str()],
                    &found[key.as_str()],
                    lines,
                );
            }
        }
        _ if expected == found => {}
        _ => lines.push(format!("{place}: expected {expected}, found {found}")),
    }
}

/// What has happened on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub been: Been,
    /// Savepoints that were begun, each by a trigger id of its own.
    pub savepoints: usize,
    /// Jobs that were stopped with a savepoint.
    pub stops: usize,
}

impl Tally {
    /// With what stands in the trace of the actors.
    pub fn of(been: Been, trace: &str) -> Self {
        let count = |holds: fn(&str) -> bool| trace.lines().filter(|line| holds(line)).count();
        Self {
            been,
            savepoints: count(|line| {
                line.contains(" is asked for savepoint ") && line.contains(": accepted")
            }),
            stops: count(|line| line.contains(" is stopped with the savepoint ")),
        }
    }
}
