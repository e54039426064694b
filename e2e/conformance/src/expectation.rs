//! What has to hold, and whether it does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::kinds;

/// What has to hold at a moment. Everything that is named must; what is not named may be as it likes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expectation {
    /// `status.blueGreenState`.
    pub state: Option<Value>,
    /// `status.jobStatus.state`.
    pub job: Option<Value>,
    /// `status.error`.
    pub error: Option<Value>,
    /// JSON pointers into the status.
    pub status: BTreeMap<String, Value>,
    /// JSON pointers into the whole resource; or `absent`.
    pub resource: Option<ObjectExpectation>,
    /// Conditions by type: their status, or several of their fields.
    pub conditions: BTreeMap<String, Value>,
    /// The child of that colour.
    pub blue: Option<ObjectExpectation>,
    /// The child of that colour.
    pub green: Option<ObjectExpectation>,
    /// The Ingress of the resource.
    pub ingress: Option<ObjectExpectation>,
    /// How often things have happened since the beginning.
    pub counts: BTreeMap<String, Value>,
    /// Reasons of events that were told.
    pub events: Vec<String>,
    /// Reasons of events that were not told.
    pub no_events: Vec<String>,
    /// Lines of the trace, each by a part of it, that came one after the other in this order.
    pub in_order: Vec<String>,
}

/// What has to hold of one object.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ObjectExpectation {
    /// `present` or `absent`.
    There(Presence),
    /// Its fields: JSON pointers, or one of the short names.
    Fields(BTreeMap<String, Value>),
}

/// Whether an object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// What is there at a moment.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The resource.
    pub resource: Option<Value>,
    /// The blue child.
    pub blue: Option<Value>,
    /// The green child.
    pub green: Option<Value>,
    /// The Ingress of the resource.
    pub ingress: Option<Value>,
    /// How often things have happened.
    pub counts: BTreeMap<String, u64>,
    /// The reasons of the events, in order.
    pub events: Vec<String>,
    /// What the API server has recorded, in its order.
    pub recorded: Vec<String>,
    /// What `$name` stands for.
    pub names: BTreeMap<String, Value>,
}

impl Seen {
    /// The value that `green /metadata/uid` and the like stand for.
    pub fn value(&self, place: &str) -> Option<Value> {
        let (object, pointer) = place.split_once(' ')?;
        let object = match object {
            "resource" => &self.resource,
            "blue" => &self.blue,
            "green" => &self.green,
            "ingress" => &self.ingress,
            _ => return None,
        };
        object.as_ref()?.pointer(pointer).cloned()
    }
}

/// The short names of fields that many scenarios look at.
const SHORT_NAMES: [(&str, &str); 11] = [
    ("image", "/spec/image"),
    ("restores", "/spec/job/initialSavepointPath"),
    ("wanted", "/spec/job/state"),
    ("uid", "/metadata/uid"),
    ("generation", "/metadata/generation"),
    ("runs", "/status/jobStatus/state"),
    ("lifecycle", "/status/lifecycleState"),
    ("backend", "/spec/rules/0/http/paths/0/backend/service/name"),
    ("port", "/spec/rules/0/http/paths/0/backend/service/port/number"),
    ("path", "/spec/rules/0/http/paths/0/path"),
    ("host", "/spec/rules/0/host"),
];

impl Expectation {
    /// What does not hold, a line each.
    pub fn mismatches(&self, seen: &Seen) -> Vec<String> {
        let mut wrong = Vec::new();
        let status = |pointer: &str| {
            let resource = seen.resource.as_ref()?;
            resource.pointer(&format!("/status{pointer}"))
        };
        for (name, expected, pointer) in [
            ("state", &self.state, "/blueGreenState"),
            ("job", &self.job, "/jobStatus/state"),
            ("error", &self.error, "/error"),
        ] {
            if let Some(expected) = expected {
                compare(name, expected, status(pointer), seen, &mut wrong);
            }
        }
        for (pointer, expected) in &self.status {
            compare(
                &format!("status{pointer}"),
                expected,
                status(pointer),
                seen,
                &mut wrong,
            );
        }
        for (kind, expected) in &self.conditions {
            self::condition(kind, expected, status("/conditions"), seen, &mut wrong);
        }
        for (name, expected, object) in [
            ("resource", &self.resource, &seen.resource),
            ("blue", &self.blue, &seen.blue),
            ("green", &self.green, &seen.green),
            ("ingress", &self.ingress, &seen.ingress),
        ] {
            if let Some(expected) = expected {
                expected.compare(name, object.as_ref(), seen, &mut wrong);
            }
        }
        for (name, expected) in &self.counts {
            let count = Value::from(seen.counts.get(name).copied().unwrap_or_default());
            compare(
                &format!("count of {name}"),
                expected,
                Some(&count),
                seen,
                &mut wrong,
            );
        }
        for reason in &self.events {
            if !seen.events.contains(reason) {
                wrong.push(format!(
                    "no event {reason}; there were: {}",
                    seen.events.join(", ")
                ));
            }
        }
        for reason in &self.no_events {
            if seen.events.contains(reason) {
                wrong.push(format!("an event {reason} was told"));
            }
        }
        self.order(seen, &mut wrong);
        wrong
    }

    fn order(&self, seen: &Seen, wrong: &mut Vec<String>) {
        let mut rest = seen.recorded.as_slice();
        for part in &self.in_order {
            let Some(place) = rest.iter().position(|line| line.contains(part.as_str())) else {
                let all = seen.recorded.iter().any(|line| line.contains(part.as_str()));
                let why = if all {
                    "came before"
                } else {
                    "is nowhere beside or after"
                };
                let mut line = format!("in the trace, \"{part}\" {why} what it has to follow:");
                for text in &self.in_order {
                    let _ = write!(line, " \"{text}\"");
                }
                wrong.push(line);
                return;
            };
            rest = rest.get(place + 1..).unwrap_or_default();
        }
    }
}

impl ObjectExpectation {
    fn compare(&self, name: &str, object: Option<&Value>, seen: &Seen, wrong: &mut Vec<String>) {
        match (self, object) {
            (Self::There(Presence::Present), Some(_)) | (Self::There(Presence::Absent), None) => {}
            (Self::There(Presence::Present), None) => wrong.push(format!("{name} is not there")),
            (Self::There(Presence::Absent), Some(object)) => wrong.push(format!(
                "{name} is there, with uid {}",
                kinds::text(object, "/metadata/uid")
            )),
            (Self::Fields(_), None) => wrong.push(format!("{name} is not there")),
            (Self::Fields(fields), Some(object)) => {
                for (field, expected) in fields {
                    let short = SHORT_NAMES.iter().find(|(short, _)| short == field);
                    let pointer = short.map_or(field.as_str(), |(_, pointer)| pointer);
                    compare(
                        &format!("{name} {field}"),
                        expected,
                        object.pointer(pointer),
                        seen,
                        wrong,
                    );
                }
            }
        }
    }
}

fn condition(kind: &str, expected: &Value, conditions: Option<&Value>, seen: &Seen, wrong: &mut Vec<String>) {
    let all = conditions
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let found = all
        .iter()
        .find(|condition| kinds::text(condition, "/type") == kind);
    let name = format!("condition {kind}");
    match (expected, found) {
        (_, None) => wrong.push(format!("there is no {name}")),
        (Value::Object(fields), Some(found)) => {
            for (field, expected) in fields {
                compare(
                    &format!("{name} {field}"),
                    expected,
                    found.get(field),
                    seen,
                    wrong,
                );
            }
        }
        (expected, Some(found)) => compare(&name, expected, found.get("status"), seen, wrong),
    }
}

fn compare(name: &str, expected: &Value, found: Option<&Value>, seen: &Seen, wrong: &mut Vec<String>) {
    if !matches(expected, found, seen) {
        let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let meant = match expected.as_str().and_then(|text| named(text, seen)) {
            Some(value) => format!("{expected} ({value})"),
            None => expected.to_string(),
        };
        wrong.push(format!("{name}: expected {meant}, found {found}"));
    }
}

/// What `$name` stands for.
fn named<'a>(text: &str, seen: &'a Seen) -> Option<&'a Value> {
    seen.names.get(text.strip_prefix('$')?)
}

/// Whether a value is as expected: equal; an object that holds all that is expected; or what one of these words asks for:
/// `contains`, `not`, `at-least`, `one-of`, `absent`, `present`.
fn matches(expected: &Value, found: Option<&Value>, seen: &Seen) -> bool {
    match expected {
        Value::Null => found.is_none_or(Value::is_null),
        Value::String(text) if text.starts_with('$') => {
            named(text, seen).is_some_and(|value| Some(value) == found)
        }
        Value::String(word) if word == "absent" => found.is_none_or(Value::is_null),
        Value::String(word) if word == "present" => found.is_some_and(|value| !value.is_null()),
        Value::Object(fields) => {
            let mut words = fields.iter();
            if let (Some((word, argument)), None) = (words.next(), words.next())
                && let Some(answer) = special(word, argument, found, seen)
            {
                return answer;
            }
            fields
                .iter()
                .all(|(key, value)| matches(value, found.and_then(|found| found.get(key)), seen))
        }
        expected => found == Some(expected),
    }
}

fn special(word: &str, argument: &Value, found: Option<&Value>, seen: &Seen) -> Option<bool> {
    Some(match word {
        "contains" => {
            let part = argument.as_str()?;
            found.is_some_and(|found| match found.as_str() {
                Some(text) => text.contains(part),
                None => found.to_string().contains(part),
            })
        }
        "not" => !matches(argument, found, seen),
        "at-least" => found.and_then(Value::as_u64)? >= argument.as_u64()?,
        "one-of" => argument
            .as_array()?
            .iter()
            .any(|expected| matches(expected, found, seen)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(expectation: Value, seen: &Seen) -> Vec<String> {
        let expectation: Expectation = serde_json::from_value(expectation).unwrap();
        expectation.mismatches(seen)
    }

    fn seen() -> Seen {
        Seen {
            resource: Some(json!({
                "status": {
                    "blueGreenState": "ACTIVE_BLUE",
                    "error": "green was not ready",
                    "conditions": [{ "type": "Available", "status": "True", "reason": "JobRunning" }]
                }
            })),
            blue: Some(json!({ "metadata": { "uid": "u1" }, "spec": { "image": "orders:1" } })),
            counts: BTreeMap::from([("savepoints".to_owned(), 2)]),
            events: vec!["Switching".to_owned()],
            recorded: vec!["ingress leads to a".to_owned(), "blue is deleted".to_owned()],
            names: BTreeMap::from([("first".to_owned(), json!("u1"))]),
            ..Seen::default()
        }
    }

    #[test]
    fn what_holds_has_no_mismatch() {
        let expectation = json!({
            "state": "ACTIVE_BLUE",
            "job": "absent",
            "error": { "contains": "not ready" },
            "conditions": { "Available": "True" },
            "blue": { "image": "orders:1", "uid": "$first", "/spec/job": { "not": "present" } },
            "green": "absent",
            "counts": { "savepoints": { "at-least": 1 }, "stops": 0 },
            "events": ["Switching"],
            "in-order": ["ingress", "blue is deleted"]
        });
        assert_eq!(wrong(expectation, &seen()), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_does_not_hold_is_told() {
        let told = wrong(
            json!({
                "state": { "one-of": ["ACTIVE_GREEN"] },
                "error": { "not": { "contains": "ready" } },
                "conditions": { "Available": { "reason": "Suspended" }, "Degraded": "False" },
                "blue": { "uid": { "not": "$first" } },
                "green": { "image": "orders:2" },
                "counts": { "savepoints": 1 },
                "no-events": ["Switching"],
                "in-order": ["blue is deleted", "ingress"]
            }),
            &seen(),
        );
        assert_eq!(told.len(), 9, "{told:#?}");
    }
}
