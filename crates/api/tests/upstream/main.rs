//! Every field that upstream's published CRDs declare is a field here, with the same type and values.
//!
//! The lists beside this file are derived from those CRDs. To derive them again:
//! `SLUICE_UPSTREAM_CRDS=<directory> cargo test -p sluice-api --test upstream -- --ignored derive_the_lists`

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod tree;
mod values;

use std::path::{Path, PathBuf};
use std::{env, fs};

use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment, Kind, check_types};

use tree::Tree;
use values::{Choice, Fields, any_json, choices};

fn list_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/upstream")
        .join(format!("{name}.txt"))
}

fn read_list(name: &str, pod_template: Option<&Tree>) -> Tree {
    let path = list_path(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Tree::parse(&text, pod_template)
}

/// What upstream declares of this kind.
fn upstream(kind: Kind) -> Tree {
    let pod_template = read_list("pod-template", None);
    read_list(kind.name(), Some(&pod_template))
}

/// What a user may write: what upstream declares, and the field of FLIP-504.
fn writable(kind: Kind) -> Tree {
    let mut tree = upstream(kind);
    if kind == Kind::FlinkBlueGreenDeployment {
        let spec = tree.children.get_mut("spec").unwrap();
        spec.children.insert(
            "transitionMode".to_owned(),
            Tree {
                kind: "string".to_owned(),
                values: vec!["ADVANCED".to_owned(), "BASIC".to_owned()],
                ..Tree::default()
            },
        );
    }
    tree
}

/// The directory of upstream's CRDs: they are not part of the repository.
fn upstream_directory() -> PathBuf {
    let directory = env::var_os("SLUICE_UPSTREAM_CRDS");
    PathBuf::from(directory.expect("name the directory of upstream's CRDs in SLUICE_UPSTREAM_CRDS"))
}

fn upstream_definition(directory: &Path, kind: Kind) -> Value {
    let path = directory.join(format!("{}.flink.apache.org-v1.yml", kind.plural()));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where `ours` lacks a field of `theirs`, or has it with another type, or refuses one of its values.
fn differences(theirs: &Tree, ours: &Tree, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    if theirs.kind != ours.kind {
        found.push(format!("{path} is {} and here {}", theirs.kind, ours.kind));
    }
    if !ours.values.is_empty() {
        for value in theirs.values.iter().filter(|value| !ours.values.contains(value)) {
            found.push(format!("{path} can be {value} and here it cannot"));
        }
    }
    // A pod's status has no meaning in a template: ours keeps it as it comes and does not describe it.
    if path.ends_with(".podTemplate.status") {
        return found;
    }
    for (name, field) in &theirs.children {
        let path = format!("{path}.{name}");
        match ours.children.get(name) {
            Some(here) => found.extend(differences(field, here, &path)),
            None => found.push(format!("{path} is missing here")),
        }
    }
    found
}

#[test]
fn the_generated_definitions_declare_every_path_with_its_type_and_values() {
    for kind in Kind::ALL {
        let ours = Tree::of_definition(&kind.definition());
        let theirs = writable(kind);
        assert!(theirs.paths().len() > 1000, "the list of {kind:?} is not whole");
        let found = differences(&theirs, &ours, kind.name());
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn a_path_that_is_missing_or_differs_would_be_found() {
    let theirs = Tree::parse(
        "spec object\n  a string X Y\n  b integer\n  c list\n    [] string\n",
        None,
    );
    let ours = Tree::parse("spec object\n  a string X\n  b string\n", None);
    assert_eq!(
        differences(&theirs, &ours, "K"),
        [
            "K.spec.a can be Y and here it cannot",
            "K.spec.b is integer and here string",
            "K.spec.c is missing here",
        ]
    );
    assert_eq!(Tree::parse(&theirs.print(), None), theirs);
}

#[test]
#[ignore = "needs upstream's own CRDs; `cargo xtask ci` runs it where they are"]
fn the_lists_are_what_upstreams_own_files_declare() {
    let directory = upstream_directory();
    for kind in Kind::ALL {
        let definition = upstream_definition(&directory, kind);
        let theirs = Tree::of_definition(&definition);
        assert!(
            theirs == upstream(kind),
            "the list of {} is not what its CRD declares; derive it again",
            kind.name()
        );
        let ours = kind.definition();
        let found = differences(&theirs, &Tree::of_definition(&ours), kind.name());
        assert!(found.is_empty(), "{}", found.join("\n"));
        for part in [
            "/spec/group",
            "/spec/names",
            "/spec/scope",
            "/spec/versions/0/name",
            "/spec/versions/0/subresources",
        ] {
            assert_eq!(
                ours.pointer(part),
                definition.pointer(part),
                "{} {part}",
                kind.name()
            );
        }
        let columns = |definition: &Value| -> Vec<(Value, Value)> {
            let columns = &definition["spec"]["versions"][0]["additionalPrinterColumns"];
            columns
                .as_array()
                .unwrap()
                .iter()
                .map(|it| (it["name"].clone(), it["jsonPath"].clone()))
                .collect()
        };
        let present = columns(&ours);
        for column in columns(&definition) {
            assert!(
                present.contains(&column),
                "{} lacks the column {column:?}",
                kind.name()
            );
        }
    }
}

#[test]
#[ignore = "writes the lists again, from upstream's CRDs"]
fn derive_the_lists() {
    let directory = upstream_directory();
    let write = |name: &str, what: &str, tree: &Tree| {
        let head =
            format!("# {what}, as upstream's published CRDs declare it: name, type, values. See main.rs.\n");
        fs::write(list_path(name), head + &tree.print()).unwrap();
    };
    for kind in Kind::ALL {
        let tree = Tree::of_definition(&upstream_definition(&directory, kind));
        let pod_templates = tree.pod_templates();
        let first = pod_templates[0];
        assert!(
            pod_templates.iter().all(|it| *it == first),
            "the pod templates differ"
        );
        write("pod-template", "The podTemplate of both kinds", first);
        write(kind.name(), kind.name(), &tree);
    }
}

/// Reads a value as its type, checks that no type is complained about, and writes it again.
fn there_and_back<T: DeserializeOwned + Serialize>(kind: Kind, value: &Value) -> Value {
    let problems = check_types(value, kind);
    assert!(problems.is_empty(), "{problems:?}");
    let read: T = serde_json::from_value(value.clone()).unwrap();
    serde_json::to_value(&read).unwrap()
}

fn assert_unchanged(kind: Kind, mut resource: Value) {
    resource["apiVersion"] = json!("flink.apache.org/v1beta1");
    resource["kind"] = json!(kind.name());
    for part in ["metadata", "spec"] {
        resource
            .as_object_mut()
            .unwrap()
            .entry(part)
            .or_insert_with(|| json!({}));
    }
    let back = match kind {
        Kind::FlinkBlueGreenDeployment => {
            let back = there_and_back::<FlinkBlueGreenDeployment>(kind, &resource);
            // The one exception: upstream writes an unset moment of a status as 1970, and so does Sluice.
            if let Some(status) = resource.get_mut("status").and_then(Value::as_object_mut) {
                for moment in [
                    "lastReconciledTimestamp",
                    "abortTimestamp",
                    "deploymentReadyTimestamp",
                ] {
                    status
                        .entry(moment)
                        .or_insert_with(|| json!("1970-01-01T00:00:00Z"));
                }
            }
            back
        }
        Kind::FlinkDeployment => there_and_back::<FlinkDeployment>(kind, &resource),
    };
    assert_eq!(back, resource);
}

#[test]
fn a_resource_with_every_field_at_once_comes_back_unchanged() {
    for kind in Kind::ALL {
        let resource = Fields::of(&writable(kind)).whole_resource();
        assert!(
            resource.to_string().len() > 30_000,
            "{kind:?} has fewer fields than upstream"
        );
        assert_unchanged(kind, resource);
    }
}

/// Some fields in and outside of pod templates, and some that nobody knows.
fn choice() -> impl Strategy<Value = (Vec<Choice>, Vec<Choice>, Vec<(Index, Value)>)> {
    let unknown = proptest::collection::vec((any::<Index>(), any_json()), 0..6);
    (choices(40), choices(20), unknown)
}

#[test]
fn any_subset_of_the_fields_comes_back_unchanged_with_and_without_unknown_ones() {
    for kind in Kind::ALL {
        let fields = Fields::of(&writable(kind));
        proptest!(|((plain, in_pod_templates, unknown) in choice())| {
            let mut resource = fields.resource(&plain, &in_pod_templates);
            assert_unchanged(kind, resource.clone());
            fields.sprinkle(&mut resource, &unknown);
            assert_unchanged(kind, resource);
        });
    }
}
