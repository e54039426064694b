//! Resources with random subsets of upstream's fields.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::tree::Tree;

/// A field to be set, and what its value is made from.
#[derive(Clone, Debug)]
pub struct Choice {
    field: Index,
    raw: Raw,
}

#[derive(Clone, Debug)]
struct Raw {
    text: String,
    number: i64,
    another_item: bool,
}

fn raw() -> impl Strategy<Value = Raw> {
    (".{0,12}", any::<i64>(), any::<bool>()).prop_map(|(text, number, another_item)| Raw {
        text,
        number,
        another_item,
    })
}

/// Up to `most` fields.
pub fn choices(most: usize) -> impl Strategy<Value = Vec<Choice>> {
    let choice = (any::<Index>(), raw()).prop_map(|(field, raw)| Choice { field, raw });
    proptest::collection::vec(choice, 0..most)
}

/// Any JSON, such as a field that is not invented yet might hold.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0e9..1.0e9).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-zA-Z.]{1,6}", inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The fields of a tree that a value can be given, and those that can have fields nobody knows.
pub struct Fields {
    plain: Vec<(Vec<String>, Tree)>,
    in_pod_templates: Vec<(Vec<String>, Tree)>,
    open: Vec<Vec<String>>,
}

impl Fields {
    pub fn of(tree: &Tree) -> Self {
        let leaves = tree
            .paths()
            .into_iter()
            .filter(|(_, field)| field.children.is_empty());
        let (in_pod_templates, plain) = leaves
            .map(|(path, field)| (path, field.clone()))
            .partition(|(path, _)| is_in_pod_template(path));
        let open = tree
            .paths()
            .into_iter()
            .filter(|(path, field)| field.kind == "object" && !field.children.is_empty() && !is_closed(path))
            .map(|(path, _)| path)
            .collect();
        Self {
            plain,
            in_pod_templates,
            open,
        }
    }

    /// A resource with the chosen fields.
    pub fn resource(&self, plain: &[Choice], in_pod_templates: &[Choice]) -> Value {
        let mut resource = json!({});
        for (choices, fields) in [(plain, &self.plain), (in_pod_templates, &self.in_pod_templates)] {
            for choice in choices {
                let (path, field) = choice.field.get(fields);
                let value = value_of(path, field, &choice.raw);
                put(&mut resource, path, &choice.raw, value);
            }
        }
        complete(&mut resource);
        resource
    }

    /// A resource with every field.
    pub fn whole_resource(&self) -> Value {
        let mut resource = json!({});
        let raw = Raw {
            text: "text".to_owned(),
            number: 12_345,
            another_item: false,
        };
        for (path, field) in self.plain.iter().chain(&self.in_pod_templates) {
            put(&mut resource, path, &raw, value_of(path, field, &raw));
        }
        complete(&mut resource);
        resource
    }

    /// Adds fields that nobody knows.
    pub fn sprinkle(&self, resource: &mut Value, unknown: &[(Index, Value)]) {
        for (number, (place, value)) in unknown.iter().enumerate() {
            let mut path = place.get(&self.open).clone();
            path.push(format!("notYetInvented{number}"));
            let raw = Raw {
                text: "key".to_owned(),
                number: 0,
                another_item: false,
            };
            put(resource, &path, &raw, value.clone());
        }
        complete(resource);
    }
}

fn is_in_pod_template(path: &[String]) -> bool {
    path.iter().any(|name| name == "podTemplate")
}

/// Kubernetes' own types, which have no fields but their own.
fn is_closed(path: &[String]) -> bool {
    path.iter()
        .any(|name| ["metadata", "conditions"].contains(&name.as_str()))
        && !is_in_pod_template(path)
}

fn value_of(path: &[String], field: &Tree, raw: &Raw) -> Value {
    let name = path.last().map_or("", String::as_str);
    if !field.values.is_empty() {
        let count = i64::try_from(field.values.len()).unwrap();
        let chosen = usize::try_from(raw.number.rem_euclid(count)).unwrap();
        return json!(field.values[chosen]);
    }
    match field.kind.as_str() {
        "string" if is_time(name) && !is_in_pod_template(path) => {
            // Whole seconds, as both operators write them; any moment but the one that means "unset".
            let seconds = raw.number.rem_euclid(4_000_000_000) + 1;
            json!(jiff::Timestamp::from_second(seconds).unwrap())
        }
        "string" => json!(raw.text),
        "boolean" => json!(raw.number % 2 == 0),
        "integer" if is_long(name) => json!(raw.number),
        "integer" => json!(i32::try_from(raw.number >> 32).unwrap()),
        "number" if raw.number % 2 == 0 => json!(raw.number >> 48),
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        "number" => json!((raw.number >> 32) as f64 / 8.0),
        "int-or-string" if raw.number % 2 == 0 => json!(raw.number),
        "int-or-string" => json!(raw.text),
        "any" => {
            json!({"state.savepoints.dir": raw.text, "nested": {"number": raw.number, "list": [raw.text]}})
        }
        "object" => json!({"f:spec": {"f:replicas": {}}}),
        other => panic!("{path:?} has no children and the type {other}"),
    }
}

fn is_time(name: &str) -> bool {
    name == "time" || name.ends_with("TransitionTime") || name.ends_with("Timestamp")
}

fn is_long(name: &str) -> bool {
    ["Nonce", "imestamp", "imeStamp", "eneration", "GracePeriodSeconds"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Sets the field at the path, and makes what leads to it.
fn put(resource: &mut Value, path: &[String], raw: &Raw, value: Value) {
    let mut place = resource;
    for name in path {
        place = match name.as_str() {
            "[]" => {
                if !place.is_array() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().unwrap();
                if items.is_empty() || raw.another_item {
                    items.push(Value::Null);
                }
                items.last_mut().unwrap()
            }
            name => {
                if !place.is_object() {
                    *place = json!({});
                }
                let key = if name == "*" { raw.text.as_str() } else { name };
                place.as_object_mut().unwrap().entry(key).or_insert(Value::Null)
            }
        };
    }
    *place = value;
}

/// Gives Kubernetes' own types the fields that they cannot be without.
fn complete(resource: &mut Value) {
    let conditions = json!({"lastTransitionTime": "2026-01-31T12:00:00Z", "message": "", "reason": "R", "status": "True", "type": "T"});
    let owners = json!({"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u"});
    for (pointer, required) in [
        ("/status/conditions", conditions),
        ("/spec/template/metadata/ownerReferences", owners),
    ] {
        let items = resource.pointer_mut(pointer).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            for (name, value) in required.as_object().unwrap() {
                item.as_object_mut()
                    .unwrap()
                    .entry(name)
                    .or_insert_with(|| value.clone());
            }
        }
    }
}
