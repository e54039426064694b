//! Pod templates, merged as upstream merges them, and the main container in them.

use serde_json::{Map, Value, json};

use crate::deployments::marks::MAIN_CONTAINER;

/// The common template with the particular one laid over it. Lists are merged by position, as upstream does, or by the names
/// of their entries (`kubernetes.operator.pod-template.merge-arrays-by-name`).
pub(super) fn merged(common: Option<&Value>, particular: Option<&Value>, by_name: bool) -> Option<Value> {
    match (common, particular) {
        (Some(common), Some(particular)) => {
            let mut template = common.clone();
            merge(&mut template, particular, by_name);
            Some(template)
        }
        (one, other) => one.or(other).cloned(),
    }
}

fn merge(into: &mut Value, from: &Value, by_name: bool) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(key) {
                    Some(present) if present.is_object() || (present.is_array() && value.is_array()) => {
                        merge(present, value, by_name);
                    }
                    Some(_) | None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => {
            for (position, value) in from.iter().enumerate() {
                let found = if by_name && name_of(value).is_some() {
                    into.iter().position(|present| name_of(present) == name_of(value))
                } else {
                    (position < into.len()).then_some(position)
                };
                match found.and_then(|position| into.get_mut(position)) {
                    Some(present) if present.is_object() => merge(present, value, by_name),
                    Some(present) => *present = value.clone(),
                    None => into.push(value.clone()),
                }
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn name_of(value: &Value) -> Option<&str> {
    value.get("name")?.as_str()
}

/// A pod template in two: the pod without the main container, and that container. Either is empty if it is not there.
pub(super) struct Parts {
    pub(super) pod: Map<String, Value>,
    pub(super) main: Map<String, Value>,
}

impl Parts {
    /// Takes a template apart.
    pub(super) fn of(template: Option<Value>) -> Self {
        let mut pod = match template {
            Some(Value::Object(pod)) => pod,
            Some(_) | None => Map::new(),
        };
        let mut spec = take_object(&mut pod, "spec");
        let mut main = Map::new();
        let mut others = Vec::new();
        for container in take_array(&mut spec, "containers") {
            match container {
                Value::Object(container) if container.get("name") == Some(&json!(MAIN_CONTAINER)) => {
                    main = container;
                }
                other => others.push(other),
            }
        }
        spec.insert("containers".to_owned(), Value::Array(others));
        pod.insert("spec".to_owned(), Value::Object(spec));
        Self { pod, main }
    }

    /// Puts the ephemeral storage of the resource on the main container, as upstream does.
    pub(super) fn store_ephemerally(&mut self, storage: Option<&str>) {
        let Some(storage) = storage.map(str::trim).filter(|storage| !storage.is_empty()) else {
            return;
        };
        let mut resources = take_object(&mut self.main, "resources");
        for kind in ["requests", "limits"] {
            let mut amounts = take_object(&mut resources, kind);
            amounts.insert("ephemeral-storage".to_owned(), json!(storage));
            resources.insert(kind.to_owned(), Value::Object(amounts));
        }
        self.main.insert("resources".to_owned(), Value::Object(resources));
    }

    /// Puts the two together again, the main container last.
    pub(super) fn whole(self) -> Value {
        let Self { mut pod, mut main } = self;
        main.insert("name".to_owned(), json!(MAIN_CONTAINER));
        let mut spec = take_object(&mut pod, "spec");
        append(&mut spec, "containers", [Value::Object(main)]);
        pod.insert("spec".to_owned(), Value::Object(spec));
        Value::Object(pod)
    }
}

/// Takes the object under a key out; empty, if there is none.
pub(super) fn take_object(map: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.remove(key) {
        Some(Value::Object(object)) => object,
        Some(_) | None => Map::new(),
    }
}

/// Takes the list under a key out; empty, if there is none.
pub(super) fn take_array(map: &mut Map<String, Value>, key: &str) -> Vec<Value> {
    match map.remove(key) {
        Some(Value::Array(list)) => list,
        Some(_) | None => Vec::new(),
    }
}

/// Puts values at the end of the list under a key; leaves no empty list.
pub(super) fn append(map: &mut Map<String, Value>, key: &str, values: impl IntoIterator<Item = Value>) {
    let mut list = take_array(map, key);
    list.extend(values);
    if !list.is_empty() {
        map.insert(key.to_owned(), Value::Array(list));
    }
}

/// Puts texts into the object under a key; leaves no empty object.
pub(super) fn extend<'a>(
    map: &mut Map<String, Value>,
    key: &str,
    texts: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    let mut object = take_object(map, key);
    object.extend(texts.into_iter().map(|(key, text)| (key.clone(), json!(text))));
    if !object.is_empty() {
        map.insert(key.to_owned(), Value::Object(object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_merged_by_position_or_by_name() {
        let common =
            json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "hostname": "h"}});
        let own = json!({"spec": {"containers": [{"name": "b", "image": "2"}], "hostname": "i"}});
        let by_position = merged(Some(&common), Some(&own), false).unwrap();
        assert_eq!(
            by_position,
            json!({"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "b"}], "hostname": "i"}})
        );
        let by_name = merged(Some(&common), Some(&own), true).unwrap();
        assert_eq!(
            by_name,
            json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}], "hostname": "i"}})
        );
        assert_eq!(merged(None, Some(&own), true), Some(own));
    }

    #[test]
    fn a_template_is_taken_apart_and_put_together() {
        let template =
            json!({"spec": {"containers": [{"name": "flink-main-container", "env": []}, {"name": "log"}]}});
        let mut parts = Parts::of(Some(template));
        parts.store_ephemerally(Some("1Gi"));
        let whole = parts.whole();
        let names: Vec<&str> = whole["spec"]["containers"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(name_of)
            .collect();
        assert_eq!(names, ["log", "flink-main-container"]);
        let limits = &whole["spec"]["containers"][1]["resources"]["limits"];
        assert_eq!(limits["ephemeral-storage"], "1Gi");
        assert_eq!(
            Parts::of(None).whole()["spec"]["containers"][0]["name"],
            "flink-main-container"
        );
    }
}
