//! Malformed resources, made from the schema: every field with every kind of wrong value.

use serde_json::{Value, json};
use sluice_api::Kind;

use crate::examples::{blue_green, flink_deployment};

/// One step of a path into JSON.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    First,
}

/// A resource that one value was put into.
pub struct Malformed {
    /// Where, as `spec.a[0].b`.
    pub path: String,
    /// The name of the field at the end of the path.
    pub field: String,
    /// What, in a word or two.
    pub what: String,
    pub value: Value,
}

/// Valid, with every part in it that a field can be put into.
fn example(kind: Kind) -> Value {
    let mut value = match kind {
        Kind::FlinkBlueGreenDeployment => blue_green(),
        Kind::FlinkDeployment => flink_deployment(),
    };
    let spec = match kind {
        Kind::FlinkBlueGreenDeployment => &mut value["spec"]["template"]["spec"],
        Kind::FlinkDeployment => &mut value["spec"],
    };
    spec["ingress"] = json!({"template": "{{name}}.example.org"});
    value
}

const DEPTH_OF_POD_TEMPLATES: usize = 3;
/// They have a thousand fields of the same few types: one wrong value in so many is tried there.
const SPARSE: usize = 45;

fn walk(schema: &Value, path: &mut Vec<Step>, below_pod_template: usize, found: &mut Vec<Vec<Step>>) {
    if below_pod_template > DEPTH_OF_POD_TEMPLATES {
        return;
    }
    if !path.is_empty() {
        found.push(path.clone());
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let below = match (below_pod_template, name.as_str()) {
                (0, "podTemplate") => 1,
                (0, _) => 0,
                (depth, _) => depth + 1,
            };
            path.push(Step::Field(name.clone()));
            walk(property, path, below, found);
            path.pop();
        }
    }
    for (below, step) in [
        ("items", Step::First),
        ("additionalProperties", Step::Field("any".to_owned())),
    ] {
        if schema[below].is_object() {
            path.push(step);
            let depth = if below_pod_template > 0 {
                below_pod_template + 1
            } else {
                0
            };
            walk(&schema[below], path, depth, found);
            path.pop();
        }
    }
}

fn wrong_values() -> Vec<(&'static str, Value)> {
    let mut deep = json!("end");
    for _ in 0..60 {
        deep = json!({ "a": [deep] });
    }
    vec![
        ("null", Value::Null),
        ("empty text", json!("")),
        ("text", json!("text")),
        ("a number as text", json!("7")),
        ("0", json!(0)),
        ("-1", json!(-1)),
        ("2^31", json!(2_147_483_648_i64)),
        ("2^63 - 1", json!(i64::MAX)),
        ("2^64 - 1", json!(u64::MAX)),
        ("1e30", json!(1e30)),
        ("2.5", json!(2.5)),
        ("7.0", json!(7.0)),
        ("true", json!(true)),
        ("empty list", json!([])),
        ("list of text", json!(["x"])),
        ("list with null", json!([null])),
        ("empty map", json!({})),
        ("map", json!({"a": {"b": 1}})),
        ("map with null", json!({"a": null})),
        ("unicode", json!("ß\u{202e}🦀\u{0}\u{feff}\n`'\"")),
        ("60 levels", deep),
    ]
}

fn put(value: &mut Value, path: &[Step], new: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *value = new.clone();
        return;
    };
    let below = match step {
        Step::Field(name) => {
            if !value.is_object() {
                *value = json!({});
            }
            &mut value[name.as_str()]
        }
        Step::First => {
            if value.as_array().is_none_or(Vec::is_empty) {
                *value = json!([null]);
            }
            &mut value[0]
        }
    };
    put(below, rest, new);
}

fn text(path: &[Step]) -> (String, String) {
    let mut text = String::new();
    let mut field = String::new();
    for step in path {
        match step {
            Step::Field(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
                field.clone_from(name);
            }
            Step::First => text.push_str("[0]"),
        }
    }
    (text, field)
}

/// Every wrong value at every place of the specification, and a megabyte of text at every tenth.
pub fn malformed(kind: Kind) -> Vec<Malformed> {
    let definition = kind.definition();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut paths = Vec::new();
    let spec = &schema["properties"]["spec"];
    walk(spec, &mut vec![Step::Field("spec".to_owned())], 0, &mut paths);
    let megabyte = [("a megabyte", json!("x".repeat(1 << 20)))];
    let wrong = wrong_values();
    let mut all = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let values = wrong.iter().chain(megabyte.iter().filter(|_| number % 10 == 1));
        let in_pod_template = path
            .iter()
            .any(|it| matches!(it, Step::Field(name) if name == "podTemplate"));
        for (turn, (what, new)) in values.enumerate() {
            if in_pod_template && !(number + turn).is_multiple_of(SPARSE) {
                continue;
            }
            let mut value = example(kind);
            put(&mut value, path, new);
            let (path, field) = text(path);
            all.push(Malformed {
                path,
                field,
                what: (*what).to_owned(),
                value,
            });
        }
    }
    all
}

/// Bodies that no generator would think of.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn by_hand(kind: Kind) -> Vec<(&'static str, Vec<u8>)> {
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut value = example(kind);
        value["metadata"] = json!({"name": "orders"});
        edit(&mut value);
        value.to_string().into_bytes()
    };
    let mut bodies: Vec<(&'static str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no JSON", b"hello".to_vec()),
        ("half of it", edited(&|_| {})[..40].to_vec()),
        ("a list", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("no UTF-8", {
            let mut body = edited(&|_| {});
            body[10] = 0xff;
            body
        }),
        ("two objects", [edited(&|_| {}), edited(&|_| {})].concat()),
        ("20,000 levels", {
            let mut body = br#"{"apiVersion":"flink.apache.org/v1beta1","kind":"X","spec":"#.to_vec();
            body.extend("[".repeat(20_000).bytes());
            body.extend("]".repeat(20_000).bytes());
            body.push(b'}');
            body
        }),
        (
            "4 MB",
            edited(&|it| it["spec"]["huge"] = json!("x".repeat(4 << 20))),
        ),
        (
            "no metadata",
            edited(&|it| {
                it.as_object_mut().unwrap().remove("metadata");
            }),
        ),
        ("no name", edited(&|it| it["metadata"] = json!({}))),
        ("empty name", edited(&|it| it["metadata"]["name"] = json!(""))),
        (
            "a number as name",
            edited(&|it| it["metadata"]["name"] = json!(7)),
        ),
        (
            "a name of 300",
            edited(&|it| it["metadata"]["name"] = json!("a".repeat(300))),
        ),
        (
            "a name in unicode",
            edited(&|it| it["metadata"]["name"] = json!("größe")),
        ),
        (
            "a path as name",
            edited(&|it| it["metadata"]["name"] = json!("../orders")),
        ),
        (
            "labels that are none",
            edited(&|it| it["metadata"]["labels"] = json!({"a b": "c d"})),
        ),
        (
            "a label that is a number",
            edited(&|it| it["metadata"]["labels"] = json!({"tier": 1})),
        ),
        (
            "labels that are a list",
            edited(&|it| it["metadata"]["labels"] = json!(["a"])),
        ),
        (
            "annotations of 300 kB",
            edited(&|it| it["metadata"]["annotations"] = json!({"a": "x".repeat(300_000)})),
        ),
        (
            "another version",
            edited(&|it| it["apiVersion"] = json!("flink.apache.org/v1")),
        ),
        ("another group", edited(&|it| it["apiVersion"] = json!("apps/v1"))),
        ("another kind", edited(&|it| it["kind"] = json!("Deployment"))),
        (
            "no kind",
            edited(&|it| {
                it.as_object_mut().unwrap().remove("kind");
            }),
        ),
        (
            "no specification",
            edited(&|it| {
                it.as_object_mut().unwrap().remove("spec");
            }),
        ),
        ("an empty specification", edited(&|it| it["spec"] = json!({}))),
        (
            "a specification that is a list",
            edited(&|it| it["spec"] = json!([])),
        ),
        (
            "a specification that is null",
            edited(&|it| it["spec"] = Value::Null),
        ),
        (
            "a status in a new object",
            edited(&|it| it["status"] = json!({"blueGreenState": 7})),
        ),
        (
            "an owner without a name",
            edited(&|it| it["metadata"]["ownerReferences"] = json!([{"kind": "A"}])),
        ),
        (
            "a time that is none",
            edited(&|it| it["metadata"]["creationTimestamp"] = json!("yesterday")),
        ),
        ("a field twice", {
            let text = String::from_utf8(edited(&|_| {})).unwrap();
            text.replacen("\"spec\":{", "\"spec\":{},\"spec\":{", 1)
                .into_bytes()
        }),
        (
            "10,000 unknown fields",
            edited(&|it| {
                for number in 0..10_000 {
                    it["spec"][format!("field{number}")] = json!(number);
                }
            }),
        ),
    ];
    if kind == Kind::FlinkBlueGreenDeployment {
        bodies.extend([
            (
                "2,000 settings",
                edited(&|it| {
                    for number in 0..2_000 {
                        it["spec"]["configuration"][format!("any.{number}")] = json!("x");
                    }
                }),
            ),
            (
                "50,000 settings",
                edited(&|it| {
                    for number in 0..50_000 {
                        it["spec"]["configuration"][format!("{number}")] = json!("");
                    }
                }),
            ),
            (
                "a setting of 300 kB",
                edited(&|it| it["spec"]["configuration"]["any"] = json!("x".repeat(300_000))),
            ),
            (
                "20 wrong settings",
                edited(&|it| {
                    for number in 0..20 {
                        let key = format!("kubernetes.operator.bluegreen.wrong-{number}");
                        it["spec"]["configuration"][key] = json!("x");
                    }
                }),
            ),
            (
                "a key with a line break",
                edited(&|it| {
                    it["spec"]["configuration"]["kubernetes.operator.bluegreen.a\nb"] = json!("x");
                }),
            ),
            (
                "an empty template",
                edited(&|it| it["spec"]["template"] = json!({})),
            ),
            (
                "a template that is a text",
                edited(&|it| it["spec"]["template"] = json!("x")),
            ),
            (
                "the template of the template",
                edited(&|it| {
                    it["spec"]["template"] = json!({"template": it["spec"]["template"]});
                }),
            ),
        ]);
    }
    bodies
}
