//! The generated CustomResourceDefinitions are ones that Kubernetes takes.

#![expect(clippy::panic, reason = "a helper of tests")]

use serde_json::Value;
use sluice_api::Kind;

/// `kubectl apply` keeps a copy of the object in an annotation, and all annotations together may have this many bytes.
const LARGEST_FOR_KUBECTL_APPLY: usize = 256 * 1024;

#[test]
fn kubectl_apply_can_hold_each_definition() {
    for kind in Kind::ALL {
        let size = kind.definition().to_string().len();
        assert!(size < LARGEST_FOR_KUBECTL_APPLY, "{kind:?} has {size} bytes");
    }
}

/// Kubernetes' rules of structural schemas, as far as they can be seen without an API server.
fn assert_structural(schema: &Value, path: &str) {
    let schema = schema
        .as_object()
        .unwrap_or_else(|| panic!("{path} is no schema"));
    let preserves = schema.contains_key("x-kubernetes-preserve-unknown-fields");
    let int_or_string = schema.contains_key("x-kubernetes-int-or-string");
    for keyword in schema.keys() {
        let known = [
            "additionalProperties",
            "description",
            "enum",
            "format",
            "items",
            "maxLength",
            "maximum",
            "maxProperties",
            "minimum",
            "properties",
            "required",
            "type",
        ];
        let allowed = known.contains(&keyword.as_str())
            || keyword.starts_with("x-kubernetes-")
            || (int_or_string && keyword == "anyOf");
        assert!(allowed, "{path}: {keyword}");
    }
    assert!(
        schema.contains_key("type") != int_or_string || preserves,
        "{path} has no type"
    );
    assert!(
        !(schema.contains_key("properties") && schema.contains_key("additionalProperties")),
        "{path}"
    );
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        assert!(
            preserves || path.is_empty(),
            "{path} would lose fields that are newer than this schema"
        );
        for (name, property) in properties {
            assert_structural(property, &format!("{path}.{name}"));
        }
    }
    for below in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get(below) {
            assert_structural(schema, &format!("{path}.{below}"));
        }
    }
}

#[test]
fn the_schemas_are_structural_and_keep_unknown_fields_everywhere() {
    for kind in Kind::ALL {
        let definition = kind.definition();
        let schema = definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .unwrap();
        assert_structural(schema, "");
    }
}

#[test]
fn the_state_and_the_age_of_a_blue_green_deployment_stand_in_kubectls_table() {
    let definition = Kind::FlinkBlueGreenDeployment.definition();
    let columns: Vec<&str> = definition["spec"]["versions"][0]["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|column| column["name"].as_str())
        .collect();
    assert_eq!(
        columns,
        [
            "State",
            "Active",
            "Job Status",
            "Ready",
            "Progress",
            "Age",
            "Waiting For",
            "Error"
        ]
    );
}
