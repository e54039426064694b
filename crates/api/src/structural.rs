//! Turns a JSON schema into a structural one, the only form that a CustomResourceDefinition may have: no references,
//! one type for each field, no null, and only the keywords that Kubernetes allows.

use serde_json::{Map, Value, json};

/// The definitions that a schema's references lead to.
pub(crate) type Definitions = Map<String, Value>;

/// Keywords that are taken over as they stand.
const KEPT: &[&str] = &["type", "enum", "minimum", "pattern", "x-kubernetes-int-or-string"];
/// Formats that Kubernetes checks and that our types have.
const FORMATS: &[&str] = &["int32", "int64", "date-time"];

/// Keeps fields that the schema does not name.
pub(crate) const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

/// The structural form of `schema`. Objects keep fields that the schema does not name, so that a newer field is
/// never lost on the way through the API server.
///
/// Kubernetes' own types lose their descriptions: they would make the CRD larger than `kubectl apply` can hold.
pub(crate) fn structural(schema: &Value, definitions: &Definitions) -> Value {
    convert(schema, definitions, true)
}

fn convert(schema: &Value, definitions: &Definitions, describe: bool) -> Value {
    let Value::Object(schema) = schema else {
        // `true`: anything at all.
        return json!({ PRESERVE: true });
    };
    if let Some((name, target)) = reference(schema, definitions) {
        let mut converted = convert(target, definitions, describe && !name.starts_with("io.k8s."));
        if describe && let Some(description) = schema.get("description") {
            describe_as(&mut converted, description);
        }
        return converted;
    }
    if let Some(alternatives) = alternatives(schema) {
        let mut converted = match alternatives.as_slice() {
            [only] => convert(only, definitions, describe),
            several => merge(several.iter().map(|it| convert(it, definitions, false))),
        };
        if describe && let Some(description) = schema.get("description") {
            describe_as(&mut converted, description);
        }
        return converted;
    }
    convert_plain(schema, definitions, describe)
}

fn convert_plain(schema: &Map<String, Value>, definitions: &Definitions, describe: bool) -> Value {
    let mut converted = Map::new();
    if describe && let Some(Value::String(description)) = schema.get("description") {
        converted.insert("description".into(), json!(one_line(description)));
    }
    for keyword in KEPT {
        if let Some(value) = schema.get(*keyword) {
            converted.insert((*keyword).into(), without_null(value));
        }
    }
    // An alternative that is one constant, as variants of an enum are.
    if let Some(constant) = schema.get("const") {
        converted.insert("enum".into(), json!([constant]));
    }
    if schema.get("x-kubernetes-int-or-string").is_some() {
        converted.insert("anyOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        if FORMATS.contains(&format) {
            converted.insert("format".into(), json!(format));
        } else if format.starts_with("uint") {
            // Kubernetes knows no unsigned numbers; the minimum says the rest.
            converted.insert("format".into(), json!("int64"));
        }
    }
    if let Some(items) = schema.get("items") {
        converted.insert("items".into(), convert(items, definitions, describe));
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let properties: Map<String, Value> = properties
            .iter()
            .map(|(name, property)| (name.clone(), convert(property, definitions, describe)))
            .collect();
        converted.insert("properties".into(), properties.into());
        converted.insert(PRESERVE.into(), json!(true));
    } else if let Some(Value::Object(values)) = schema.get("additionalProperties") {
        let values = convert(&Value::Object(values.clone()), definitions, describe);
        converted.insert("additionalProperties".into(), values);
    } else if converted.get("type").is_none_or(|kind| kind == "object") && !converted.contains_key("anyOf") {
        converted.insert(PRESERVE.into(), json!(true));
    }
    converted.into()
}

/// The definition that the schema refers to, with its name.
fn reference<'a>(schema: &Map<String, Value>, definitions: &'a Definitions) -> Option<(&'a str, &'a Value)> {
    let reference = schema.get("$ref")?.as_str()?;
    let name = reference.strip_prefix("#/$defs/")?;
    definitions
        .get_key_value(name)
        .map(|(name, target)| (name.as_str(), target))
}

/// The alternatives other than null.
fn alternatives(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    let all = schema.get("anyOf").or_else(|| schema.get("oneOf"))?.as_array()?;
    let is_null = |it: &&Value| it.get("type").is_some_and(|kind| kind == "null");
    Some(all.iter().filter(|it| !is_null(it)).collect())
}

/// One schema that allows what any of the alternatives allows: all their constants, all their properties.
fn merge(alternatives: impl Iterator<Item = Value>) -> Value {
    let mut merged = Value::Null;
    for alternative in alternatives {
        merge_into(&mut merged, alternative);
    }
    merged
}

fn merge_into(merged: &mut Value, other: Value) {
    match (merged, other) {
        (Value::Object(merged), Value::Object(other)) => {
            for (key, value) in other {
                merge_into(merged.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(merged), Value::Array(other)) => {
            for item in other {
                if !merged.contains(&item) {
                    merged.push(item);
                }
            }
        }
        (merged @ Value::Null, other) => *merged = other,
        _ => {}
    }
}

/// `["string", "null"]` as `"string"`, and a list of constants without null.
fn without_null(value: &Value) -> Value {
    let Value::Array(items) = value else {
        return value.clone();
    };
    let rest: Vec<&Value> = items
        .iter()
        .filter(|item| !item.is_null() && *item != "null")
        .collect();
    match rest.as_slice() {
        [Value::String(kind)] if items.iter().any(|item| item == "null") => json!(kind),
        rest => json!(rest),
    }
}

/// Puts the description first, where a reader looks.
fn describe_as(schema: &mut Value, description: &Value) {
    if let (Value::Object(schema), Some(text)) = (schema, description.as_str()) {
        schema.shift_insert(0, "description".into(), json!(one_line(text)));
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_reference_becomes_what_it_refers_to() {
        let definitions = json!({"Colour": {"description": "A colour.", "type": "string", "enum": ["RED"]}});
        let schema = json!({"description": "The first\none.", "anyOf": [{"$ref": "#/$defs/Colour"}, {"type": "null"}]});
        assert_eq!(
            structural(&schema, definitions.as_object().unwrap()),
            json!({"description": "The first one.", "type": "string", "enum": ["RED"]})
        );
    }

    #[test]
    fn described_variants_become_one_list_of_values() {
        let schema = json!({"oneOf": [
            {"type": "string", "enum": ["A", "B"]},
            {"description": "The third.", "type": "string", "const": "C"},
        ]});
        assert_eq!(
            structural(&schema, &Map::new()),
            json!({"type": "string", "enum": ["A", "B", "C"]})
        );
    }

    #[test]
    fn variants_with_fields_become_one_object_with_all_of_them() {
        let variant = |name: &str, field: &str| {
            json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "const": name}, field: {"type": ["integer", "null"], "format": "uint32", "minimum": 0}}})
        };
        let schema = json!({"oneOf": [variant("One", "first"), variant("Two", "second")]});
        let number = json!({"type": "integer", "minimum": 0, "format": "int64"});
        assert_eq!(
            structural(&schema, &Map::new()),
            json!({"type": "object", PRESERVE: true, "properties": {
                "name": {"type": "string", "enum": ["One", "Two"]}, "first": number, "second": number}})
        );
    }

    #[test]
    fn anything_at_all_is_kept_as_it_comes() {
        assert_eq!(structural(&json!(true), &Map::new()), json!({ PRESERVE: true }));
    }
}
