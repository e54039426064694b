//! The API server says what our validation says.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sluice_api::Kind;

use crate::examples::{blue_green, flink_deployment, set, texts};
use crate::server::{Server, problems};

/// How the API server takes what our validation refuses.
enum Said {
    /// Refused in the sentence of our validation.
    Alike,
    /// Refused in a sentence that begins as ours does; the rest cannot be said in CEL.
    Until(&'static str),
    /// Refused by the types of the schema, in the API server's own words.
    InItsOwnWords(&'static str),
    /// Let through, and told by the controller alone, for this reason.
    ControllerOnly(&'static str),
}
use Said::{Alike, ControllerOnly, InItsOwnWords, Until};

const OPAQUE: &str = "flinkConfiguration has no schema, as upstream's, so no rule can look into it";
const ARITHMETIC: &str =
    "sums of parts, their order, and numbers that overflow: not worth arithmetic on texts in CEL";

type Row = (&'static str, Value, Said);

async fn check(server: &Server, kind: Kind, example: fn() -> Value, rows: Vec<Row>) {
    for (path, new, said) in rows {
        let mut value = example();
        set(&mut value, path, new.clone());
        let problems = problems(kind, &value);
        assert!(!problems.is_empty(), "{path}: {new} is valid");
        let answer = server.would_take(kind, &value).await;
        let ours = texts(&problems);
        match (said, answer) {
            (Alike, Err(message)) => {
                for problem in &ours {
                    assert!(message.contains(problem), "{path}: {problem}\n{message}");
                }
            }
            (Until(end), Err(message)) => {
                let (beginning, _) = ours[0].split_once(end).unwrap();
                assert!(message.contains(beginning), "{path}: {beginning}\n{message}");
            }
            (InItsOwnWords(words), Err(message)) => {
                let field = &problems[0].field;
                assert!(message.contains(field.as_str()), "{path}: {field}\n{message}");
                assert!(message.contains(words), "{path}: {words}\n{message}");
            }
            (ControllerOnly(reason), Ok(_)) => println!("controller only: {} ({reason})", ours[0]),
            (ControllerOnly(_), Err(message)) => panic!("{path} is refused after all: {message}"),
            (_, Ok(_)) => panic!("{path}: {new} is let through: {ours:?}"),
        }
    }
}

#[tokio::test]
async fn what_validation_refuses_in_a_blue_green_deployment_the_api_server_refuses_with_the_same_sentence() {
    let server = Server::with_our_definitions("sentences").await;
    check(&server, Kind::FlinkBlueGreenDeployment, blue_green, rows()).await;
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let key = |name: &str| -> &'static str {
        Box::leak(format!("/spec/configuration/kubernetes.operator.bluegreen.{name}").into_boxed_str())
    };
    vec![
        ("/metadata/name", json!("a".repeat(40)), Alike),
        ("/metadata/name", json!("2-orders"), Alike),
        ("/metadata/name", json!("or.ders"), Alike),
        ("/metadata/name", json!("Orders"), Alike),
        ("/metadata/name", json!("orders-"), Alike),
        ("/spec/template", json!(null), Alike),
        ("/spec/template/spec", json!(null), Alike),
        ("/spec/ingress/template", json!(null), Alike),
        ("/spec/ingress/template", json!(" "), Alike),
        ("/spec/ingress/template", json!("http:///"), Alike),
        ("/spec/ingress/template", json!("https:"), Alike),
        ("/spec/ingress/template", json!("{{nam}}.example.org"), Alike),
        ("/spec/ingress/template", json!("https://{{NAME}}x{{y}}/a"), Alike),
        ("/spec/ingress/template", json!(" my host/x "), Alike),
        (
            "/spec/transitionMode",
            json!("FANCY"),
            InItsOwnWords("\"BASIC\", \"ADVANCED\""),
        ),
        (
            "/spec/configuration",
            json!({"a": 1}),
            InItsOwnWords("must be of type string"),
        ),
        (key("promotoin"), json!("MANUAL"), Until("; the nearest")),
        (key("abort.grace-period"), json!("0"), Alike),
        (key("abort.grace-period"), json!("soon"), Alike),
        (key("abort.grace-period"), json!(""), Alike),
        (key("abort.grace-period"), json!("5 parsecs"), Alike),
        (key("abort.grace-period"), json!("PTX"), Alike),
        (key("abort.grace-period"), json!("-PT5M"), Alike),
        (key("savepoint.timeout"), json!("PT0S"), Alike),
        (key("reconciliation.reschedule-interval"), json!("0 ms"), Alike),
        (key("abort.failed-deployment.ttl"), json!("never"), Alike),
        (key("deployment-deletion.delay"), json!("25 d"), Alike),
        (key("deployment-deletion.delay"), json!("-PT1S"), Alike),
        (key("deployment-deletion.delay"), json!("-1 s"), Alike),
        (key("abort.failed-deployment"), json!("BURY"), Alike),
        (key("promotion"), json!("NEVER"), Alike),
        (key("transition-mode"), json!("FANCY"), Alike),
        (key("savepoint.retention"), json!("0"), Alike),
        (key("savepoint.retention"), json!("few"), Alike),
        (key("savepoint.retention"), json!("4294967296"), Alike),
        (
            "/spec/configuration/kubernetes.operator.ingress.manage",
            json!("maybe"),
            Alike,
        ),
        (
            key("deployment-deletion.delay"),
            json!("PT577H"),
            ControllerOnly(ARITHMETIC),
        ),
        (
            key("abort.grace-period"),
            json!("99999999999999999999999 d"),
            ControllerOnly(ARITHMETIC),
        ),
        (
            key("abort.grace-period"),
            json!("PT5M3H"),
            ControllerOnly(ARITHMETIC),
        ),
        ("/spec/template/spec/job", json!(null), Alike),
        ("/spec/template/spec/job/jarURI", json!(null), Alike),
        ("/spec/template/spec/job/jarURI", json!(" "), Alike),
        (
            "/spec/template/spec/job",
            json!({"entryClass": " ", "parallelism": 1}),
            Alike,
        ),
        ("/spec/template/spec/job/parallelism", json!(null), Alike),
        (
            "/spec/template/spec/job/parallelism",
            json!(0),
            InItsOwnWords("greater than or equal to 1"),
        ),
        ("/spec/template/spec/job/initialSavepointPath", json!(""), Alike),
        ("/spec/template/spec/job/savepointRedeployNonce", json!(1), Alike),
        (
            "/spec/template/spec/job/upgradeMode",
            json!("save-point"),
            InItsOwnWords("\"savepoint\""),
        ),
        (
            "/spec/template/spec/job/state",
            json!("paused"),
            InItsOwnWords("\"suspended\""),
        ),
        ("/spec/template/spec/flinkVersion", json!(null), Alike),
        ("/spec/template/spec/flinkVersion", json!("1.20"), Alike),
        ("/spec/template/spec/flinkVersion", json!("v1_20_1"), Alike),
        (
            "/spec/template/spec/jobManager/replicas",
            json!(0),
            InItsOwnWords("greater than or equal to 1"),
        ),
        (
            "/spec/template/spec/taskManager/replicas",
            json!(0),
            InItsOwnWords("greater than or equal to 1"),
        ),
        (
            "/spec/template/spec/jobManager/resource/memory",
            json!("lots"),
            Alike,
        ),
        (
            "/spec/template/spec/taskManager/resource/memory",
            json!("2 Gib"),
            Alike,
        ),
        (
            "/spec/template/spec/taskManager/resource/memory",
            json!(""),
            Alike,
        ),
        (
            "/spec/template/spec/taskManager/resource/ephemeralStorage",
            json!("x"),
            Alike,
        ),
        (
            "/spec/template/spec/taskManager/resource/memory",
            json!("99999999999999 t"),
            ControllerOnly(ARITHMETIC),
        ),
        // What was found is not told: of a number as text, the API server cannot bound the length.
        (
            "/spec/template/spec/taskManager/resource/cpu",
            json!(0),
            Until(": found"),
        ),
        (
            "/spec/template/spec/taskManager/resource/cpu",
            json!(-0.5),
            Until(": found"),
        ),
        ("/spec/template/spec/ingress", json!({}), Alike),
        (
            "/spec/template/spec/ingress",
            json!({"template": "https://"}),
            Alike,
        ),
        (
            "/spec/template/spec/ingress",
            json!({"template": "my host/x"}),
            Alike,
        ),
        (
            "/spec/template/spec/flinkConfiguration/kubernetes.cluster-id",
            json!("x"),
            ControllerOnly(OPAQUE),
        ),
        (
            "/spec/template/spec/flinkConfiguration/execution.checkpointing.interval",
            json!("often"),
            ControllerOnly(OPAQUE),
        ),
        (
            "/spec/template/spec/flinkConfiguration",
            json!("text"),
            ControllerOnly(OPAQUE),
        ),
        // The savepoint directory of the upgrade mode is in it.
        (
            "/spec/template/spec/flinkConfiguration",
            json!({}),
            ControllerOnly(OPAQUE),
        ),
        (
            "/spec/template/spec/flinkConfiguration/bluegreen.gate.strategy",
            json!("MAGIC"),
            ControllerOnly(OPAQUE),
        ),
        (
            "/spec/template/spec/logConfiguration",
            json!({"log4j-console.properties": "x".repeat(300 * 1024)}),
            ControllerOnly("CEL cannot measure the whole of an object"),
        ),
    ]
}

#[tokio::test]
async fn the_modes_of_the_field_and_of_the_key_are_checked_together() {
    let server = Server::with_our_definitions("modes").await;
    let with = |spec: Option<&str>, key: Option<&str>, upgrade: Option<&str>| {
        let mut value = blue_green();
        set(&mut value, "/spec/transitionMode", json!(spec));
        let path = "/spec/configuration/kubernetes.operator.bluegreen.transition-mode";
        set(&mut value, path, json!(key));
        set(&mut value, "/spec/template/spec/job/upgradeMode", json!(upgrade));
        value
    };
    let mut refused = 0;
    for spec in [None, Some("BASIC"), Some("ADVANCED")] {
        for key in [None, Some("BASIC"), Some("advanced")] {
            for upgrade in [None, Some("stateless"), Some("savepoint"), Some("last-state")] {
                let value = with(spec, key, upgrade);
                let kind = Kind::FlinkBlueGreenDeployment;
                let ours = texts(&problems(kind, &value));
                match server.would_take(kind, &value).await {
                    Ok(_) => assert_eq!(ours, Vec::<String>::new()),
                    Err(message) => {
                        assert!(!ours.is_empty(), "{message}");
                        assert!(ours.iter().all(|it| message.contains(it)), "{ours:?}\n{message}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert_eq!(refused, 14);
}

#[tokio::test]
async fn a_flink_deployment_is_refused_only_where_upstream_refuses_it_too() {
    let server = Server::with_our_definitions("plain").await;
    let rows = vec![
        ("/metadata/name", json!("a".repeat(46)), Alike),
        ("/metadata/name", json!("2-orders"), Alike),
        ("/spec/flinkVersion", json!(null), Alike),
        ("/spec/flinkVersion", json!("1.20"), Alike),
        ("/spec/ingress", json!({}), Alike),
        ("/spec/ingress", json!({"template": "https://"}), Alike),
    ];
    check(&server, Kind::FlinkDeployment, flink_deployment, rows).await;
    // Session clusters, and jobs that the image names, are upstream's to run.
    for path in ["/spec/job", "/spec/job/jarURI"] {
        let mut value = flink_deployment();
        set(&mut value, path, json!(null));
        server.would_take(Kind::FlinkDeployment, &value).await.unwrap();
    }
}

#[tokio::test]
async fn the_examples_and_upstreams_way_of_writing_are_taken_and_stored_as_they_are() {
    let server = Server::with_our_definitions("examples").await;
    let mut values = vec![blue_green(), flink_deployment()];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let of = |directory: &str| fs::read_dir(examples.join(directory)).unwrap();
    for entry in of("").chain(of("kubernetes")) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            values.push(serde_saphyr::from_str(&text).unwrap());
        }
    }
    assert!(values.len() > 5, "the examples are not there");
    for edit in [
        (
            "/spec/template/metadata",
            json!({"name": "x", "labels": {"a": "b"}, "finalizers": ["z"]}),
        ),
        ("/spec/template/spec/flinkVersion", json!("v3_0")),
        ("/spec/template/spec/notYetInvented", json!({"a": [1]})),
        ("/spec/notYetInvented", json!([{"a": 1}])),
        (
            "/spec/template/spec/job/jarURI",
            json!("https://example.org/a.jar"),
        ),
        (
            "/spec/ingress",
            json!({"template": "/{{namespace}}/{{name}}(/|$)(.*)"}),
        ),
        (
            "/spec/ingress",
            json!({"template": "https://{{NAME}}.{{Namespace}}.example.org:8443"}),
        ),
        (
            "/spec/template/spec/flinkConfiguration",
            json!({"state": {"savepoints": {"dir": "s3://b"}}, "n": 2, "b": true}),
        ),
        (
            "/spec/configuration",
            json!({"kubernetes.operator.reconcile.interval": "15 s", "anything": "else"}),
        ),
        (
            "/spec/template/spec/podTemplate",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "flink-main-container", "volumeMounts": [{"mountPath": "/a", "name": "v"}]}], "volumes": [{"name": "v", "emptyDir": {}}]}}),
        ),
    ] {
        let mut value = blue_green();
        set(&mut value, edit.0, edit.1);
        values.push(value);
    }
    for value in values {
        let kind = Kind::ALL
            .into_iter()
            .find(|it| value["kind"] == it.name())
            .unwrap();
        assert_eq!(problems(kind, &value), []);
        let stored = server.would_take(kind, &value).await.unwrap();
        assert_eq!(stored["spec"], value["spec"], "the API server changed it");
    }
}

#[test]
fn no_definition_has_a_default_because_that_would_rewrite_the_users_specification() {
    fn assert_no_default(value: &Value, path: &str) {
        match value {
            Value::Object(fields) => {
                // A property may be named so; a keyword stands beside a type.
                assert!(
                    !(fields.contains_key("default") && fields.contains_key("type")),
                    "{path} has a default"
                );
                for (name, field) in fields {
                    assert_no_default(field, &format!("{path}.{name}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|it| assert_no_default(it, path)),
            _ => {}
        }
    }
    for kind in Kind::ALL {
        assert_no_default(&kind.definition(), kind.name());
    }
}
