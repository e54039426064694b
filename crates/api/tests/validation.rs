//! What is refused, and what its author is told.

mod examples;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::{Problem, read_blue_green, read_flink_deployment, validate, validate_flink_deployment};

use examples::{blue_green, flink_deployment, set, texts};

fn check_blue_green(value: &Value) -> Result<(), Vec<Problem>> {
    let resource = read_blue_green(value)?;
    let before = resource.clone();
    let result = validate(&resource, &BTreeMap::new()).map(drop);
    assert_eq!(resource, before);
    result
}

fn check_flink_deployment(value: &Value) -> Result<(), Vec<Problem>> {
    validate_flink_deployment(&read_flink_deployment(value)?).map(drop)
}

/// Each edit makes the valid example invalid in exactly one way.
fn assert_refused(
    example: fn() -> Value,
    check: fn(&Value) -> Result<(), Vec<Problem>>,
    rows: Vec<(&str, Value, &str, &str)>,
) {
    for (path, new, field, expected) in rows {
        let mut value = example();
        set(&mut value, path, new);
        let problems = check(&value).expect_err(path);
        assert_eq!(problems.len(), 1, "{path}: {:?}", texts(&problems));
        assert_eq!(problems[0].field, field, "{:?}", texts(&problems));
        assert!(problems[0].message.contains(expected), "{:?}", texts(&problems));
    }
}

#[test]
fn a_good_resource_comes_back_with_everything_that_was_read_from_it() {
    let resource = read_blue_green(&blue_green()).unwrap();
    let valid = validate(&resource, &BTreeMap::new()).unwrap();
    assert_eq!(valid.spec, resource.spec);
    assert_eq!(valid.savepoint_directory.as_deref(), Some("s3://b/savepoints"));
    assert_eq!(
        valid.configuration.get("taskmanager.numberOfTaskSlots"),
        Some("2")
    );
    assert_eq!(valid.job.parallelism, Some(2));
    assert_eq!(valid.settings.abort_grace_period.as_mins(), 5);

    let mut value = flink_deployment();
    set(
        &mut value,
        "/spec/flinkConfiguration/execution.checkpointing",
        json!({"dir": "s3://b/c", "savepoint-dir": "s3://b/s2"}),
    );
    let valid = validate_flink_deployment(&read_flink_deployment(&value).unwrap()).unwrap();
    // Flink's newer name wins, as in Flink.
    assert_eq!(valid.savepoint_directory.as_deref(), Some("s3://b/s2"));
    assert_eq!(valid.checkpoint_directory.as_deref(), Some("s3://b/c"));
}

#[test]
fn names_that_do_not_fit_the_objects_made_from_them_are_refused() {
    let long = "a".repeat(40);
    for (name, expected) in [
        (
            long.as_str(),
            "expected at most 39 characters, because the children are named `<name>-blue` and `<name>-green`",
        ),
        ("Orders", "lower-case letters"),
        ("2-orders", "beginning with a letter"),
        ("orders-", "not ending with `-`"),
        ("or.ders", "lower-case letters"),
        ("", "is missing"),
    ] {
        assert_refused(
            blue_green,
            check_blue_green,
            vec![("/metadata/name", json!(name), "metadata.name", expected)],
        );
    }
    let mut value = blue_green();
    set(&mut value, "/metadata/name", json!("a".repeat(39)));
    assert_eq!(check_blue_green(&value), Ok(()));

    let mut value = flink_deployment();
    set(&mut value, "/metadata/name", json!("a".repeat(45)));
    assert_eq!(check_flink_deployment(&value), Ok(()));
    set(&mut value, "/metadata/name", json!("a".repeat(46)));
    assert_eq!(texts(&check_flink_deployment(&value).unwrap_err()).len(), 1);
}

/// The rules of the specification of a FlinkDeployment, in the template and alone.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_rule_of_the_cluster_and_its_job_refuses_with_field_and_remedy() {
    let rows = || {
        vec![
            ("/job", json!(null), "job", "session clusters are not supported"),
            (
                "/job/jarURI",
                json!(null),
                "job.jarURI",
                "or `entryClass`, if the job is on the class path",
            ),
            ("/job/jarURI", json!(" "), "job.jarURI", "found an empty text"),
            (
                "/job/parallelism",
                json!(0),
                "job.parallelism",
                "found 0, expected at least 1",
            ),
            ("/job/parallelism", json!(-3), "job.parallelism", "found -3"),
            ("/job/parallelism", json!(null), "job.parallelism", "is missing"),
            (
                "/job/initialSavepointPath",
                json!(""),
                "job.initialSavepointPath",
                "found an empty text",
            ),
            (
                "/job/savepointRedeployNonce",
                json!(1),
                "job.savepointRedeployNonce",
                "without `initialSavepointPath`",
            ),
            (
                "/flinkVersion",
                json!(null),
                "flinkVersion",
                "is missing, expected `v<major>_<minor>`, such as `v1_20`",
            ),
            ("/flinkVersion", json!("1.20"), "flinkVersion", "found `1.20`"),
            ("/flinkVersion", json!("v1_"), "flinkVersion", "found `v1_`"),
            (
                "/flinkVersion",
                json!("v1_20_1"),
                "flinkVersion",
                "found `v1_20_1`",
            ),
            (
                "/jobManager/replicas",
                json!(0),
                "jobManager.replicas",
                "found 0, expected at least 1",
            ),
            (
                "/taskManager/replicas",
                json!(0),
                "taskManager.replicas",
                "found 0, expected at least 1",
            ),
            (
                "/jobManager/resource/memory",
                json!("lots"),
                "jobManager.resource.memory",
                "such as `2048m`",
            ),
            (
                "/taskManager/resource/memory",
                json!("2 Gib"),
                "taskManager.resource.memory",
                "unknown unit `gib`",
            ),
            (
                "/taskManager/resource/ephemeralStorage",
                json!("x"),
                "taskManager.resource.ephemeralStorage",
                "found `x`",
            ),
            (
                "/taskManager/resource/cpu",
                json!(0),
                "taskManager.resource.cpu",
                "found 0, expected a number of cores above 0",
            ),
            ("/ingress", json!({}), "ingress.template", "is missing"),
            (
                "/ingress",
                json!({"template": " "}),
                "ingress.template",
                "is missing",
            ),
            (
                "/ingress",
                json!({"template": "https://"}),
                "ingress.template",
                "which is only a scheme",
            ),
            (
                "/ingress",
                json!({"template": "https:"}),
                "ingress.template",
                "which is only a scheme",
            ),
            (
                "/ingress",
                json!({"template": "{{nam}}.example.org"}),
                "ingress.template",
                "with `{{nam}}.example.org` in the place of the host",
            ),
            (
                "/ingress",
                json!({"template": "my host/x"}),
                "ingress.template",
                "in the place of the host",
            ),
            (
                "/flinkConfiguration/kubernetes.namespace",
                json!("x"),
                "flinkConfiguration[kubernetes.namespace]",
                "the operator sets this option",
            ),
            (
                "/flinkConfiguration/kubernetes",
                json!({"cluster-id": "x"}),
                "flinkConfiguration[kubernetes.cluster-id]",
                "the operator sets this option",
            ),
            (
                "/flinkConfiguration/high-availability.cluster-id",
                json!("x"),
                "flinkConfiguration[high-availability.cluster-id]",
                "the operator sets this option",
            ),
            (
                "/flinkConfiguration/execution.checkpointing.interval",
                json!("often"),
                "flinkConfiguration[execution.checkpointing.interval]",
                "expected a duration such as `10 min`",
            ),
            (
                "/flinkConfiguration/taskmanager.memory.process.size",
                json!("2Gi"),
                "flinkConfiguration[taskmanager.memory.process.size]",
                "unknown unit `gi`",
            ),
            (
                "/flinkConfiguration/taskmanager.numberOfTaskSlots",
                json!("0"),
                "flinkConfiguration[taskmanager.numberOfTaskSlots]",
                "at least 1, such as `2`",
            ),
            (
                "/flinkConfiguration/rest.port",
                json!(70_000),
                "flinkConfiguration[rest.port]",
                "from 1 to 65535",
            ),
            (
                "/flinkConfiguration/state.savepoints.dir",
                json!("s3://other"),
                "flinkConfiguration[state.savepoints.dir]",
                "once with a flat key and once nested",
            ),
            (
                "/flinkConfiguration",
                json!({}),
                "job.upgradeMode",
                "expected `execution.checkpointing.savepoint-dir` in flinkConfiguration",
            ),
            (
                "/flinkConfiguration",
                json!({"state.savepoints.dir": " "}),
                "job.upgradeMode",
                "found `savepoint`",
            ),
        ]
    };
    for (path, new, field, expected) in rows() {
        let (path_in_template, field_in_template) = (
            format!("/spec/template/spec{path}"),
            format!("spec.template.spec.{field}"),
        );
        assert_refused(
            blue_green,
            check_blue_green,
            vec![(&path_in_template, new.clone(), &field_in_template, expected)],
        );
        assert_refused(
            flink_deployment,
            check_flink_deployment,
            vec![(&format!("/spec{path}"), new, &format!("spec.{field}"), expected)],
        );
    }
}

#[test]
fn each_rule_of_the_blue_green_specification_refuses_with_field_and_remedy() {
    let key = "spec.configuration[kubernetes.operator.bluegreen.abort.grace-period]";
    let gate = "spec.template.spec.flinkConfiguration[bluegreen.gate.strategy]";
    assert_refused(
        blue_green,
        check_blue_green,
        vec![
            ("/spec/template", json!(null), "spec.template.spec", "is missing"),
            (
                "/spec/template/spec",
                json!(null),
                "spec.template.spec",
                "is missing",
            ),
            (
                "/spec/ingress/template",
                json!(null),
                "spec.ingress.template",
                "is missing",
            ),
            (
                "/spec/ingress/template",
                json!("http:///"),
                "spec.ingress.template",
                "only a scheme",
            ),
            (
                "/spec/configuration/kubernetes.operator.bluegreen.abort.grace-period",
                json!("0"),
                key,
                "above 0",
            ),
            (
                "/spec/template/spec/flinkConfiguration/bluegreen.gate.strategy",
                json!("MAGIC"),
                gate,
                "found `MAGIC`, expected `SAVEPOINT`",
            ),
        ],
    );
}

#[test]
fn the_mode_advanced_needs_state_to_hand_over_and_a_strategy_that_is_there() {
    fn advanced() -> Value {
        let mut value = blue_green();
        set(&mut value, "/spec/transitionMode", json!("ADVANCED"));
        value
    }
    fn advanced_by_key() -> Value {
        let mut value = blue_green();
        set(
            &mut value,
            "/spec/configuration/kubernetes.operator.bluegreen.transition-mode",
            json!("ADVANCED"),
        );
        value
    }
    let strategy = "/spec/template/spec/flinkConfiguration/bluegreen.gate.strategy";
    let gate = "spec.template.spec.flinkConfiguration[bluegreen.gate.strategy]";
    let mode = (
        "/spec/template/spec/job/upgradeMode",
        "spec.template.spec.job.upgradeMode",
        "the transition mode ADVANCED hands the state over",
    );
    for example in [advanced, advanced_by_key] {
        assert_refused(
            example,
            check_blue_green,
            vec![
                (mode.0, json!("stateless"), mode.1, mode.2),
                (mode.0, json!(null), mode.1, mode.2),
                (strategy, json!("OTHER"), gate, "expected `SAVEPOINT`"),
            ],
        );
        for good in [json!(null), json!("SAVEPOINT"), json!("savepoint")] {
            let mut value = example();
            set(&mut value, strategy, good);
            assert_eq!(check_blue_green(&value), Ok(()));
        }
        let mut value = example();
        set(&mut value, mode.0, json!("last-state"));
        assert_eq!(check_blue_green(&value), Ok(()));
    }
    // In the mode BASIC the strategy has no effect, so it stops nothing.
    let mut basic = blue_green();
    set(&mut basic, strategy, json!("WATERMARK"));
    assert_eq!(check_blue_green(&basic), Ok(()));
}

#[test]
fn a_savepoint_by_nonce_needs_a_place_to_go() {
    let mut value = flink_deployment();
    set(&mut value, "/spec/flinkConfiguration", json!({}));
    set(&mut value, "/spec/job/upgradeMode", json!("stateless"));
    assert_eq!(check_flink_deployment(&value), Ok(()));
    set(&mut value, "/spec/job/savepointTriggerNonce", json!(1));
    assert_eq!(
        texts(&check_flink_deployment(&value).unwrap_err()),
        [
            "spec.job.savepointTriggerNonce: is set without a directory for savepoints; expected `execution.checkpointing.savepoint-dir` in flinkConfiguration, such as `s3://bucket/savepoints`"
        ]
    );
}

#[test]
fn last_state_takes_a_savepoint_blue_green_and_a_checkpoint_alone() {
    let checkpoints = json!({"state.checkpoints.dir": "s3://b/c"});
    let mut value = blue_green();
    set(
        &mut value,
        "/spec/template/spec/job/upgradeMode",
        json!("last-state"),
    );
    set(
        &mut value,
        "/spec/template/spec/flinkConfiguration",
        checkpoints.clone(),
    );
    let problems = texts(&check_blue_green(&value).unwrap_err());
    assert!(
        problems[0].contains("found `last-state`, which takes a savepoint"),
        "{problems:?}"
    );

    let mut value = flink_deployment();
    set(&mut value, "/spec/job/upgradeMode", json!("last-state"));
    set(&mut value, "/spec/flinkConfiguration", checkpoints);
    assert_eq!(check_flink_deployment(&value), Ok(()));
    set(&mut value, "/spec/flinkConfiguration", json!({}));
    let problems = texts(&check_flink_deployment(&value).unwrap_err());
    assert!(
        problems[0].contains("found `last-state` without a directory for checkpoints"),
        "{problems:?}"
    );
}

#[test]
fn a_resource_too_large_to_be_recorded_is_refused_with_the_reason() {
    for (example, check, path) in [
        (
            blue_green as fn() -> Value,
            check_blue_green as fn(&Value) -> _,
            "/spec/template/spec/logConfiguration",
        ),
        (flink_deployment, check_flink_deployment, "/spec/logConfiguration"),
    ] {
        let mut value = example();
        set(
            &mut value,
            path,
            json!({"log4j-console.properties": "x".repeat(255 * 1024)}),
        );
        assert_eq!(check(&value), Ok(()));
        set(
            &mut value,
            path,
            json!({"log4j-console.properties": "x".repeat(257 * 1024)}),
        );
        let problems = texts(&check(&value).unwrap_err());
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with(
                "spec: found 258 KiB of JSON, expected at most 256 KiB, because the status holds a copy"
            ),
            "{problems:?}"
        );
    }
}

#[test]
fn what_works_upstream_is_not_refused() {
    for (path, new) in [
        (
            "/spec/template/metadata",
            json!({"name": "x", "namespace": "y", "finalizers": ["z"], "ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c"}]}),
        ),
        ("/spec/template/spec/flinkVersion", json!("v3_0")),
        ("/spec/template/spec/notYetInvented", json!({"a": [1]})),
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
        ("/spec/ingress", json!({"template": "*.example.org"})),
        ("/spec/template/spec/jobManager/resource", json!({})),
        ("/spec/template/spec/job/state", json!("suspended")),
    ] {
        let mut value = blue_green();
        set(&mut value, path, new);
        assert_eq!(
            check_blue_green(&value).map_err(|it| texts(&it)),
            Ok(()),
            "{path}"
        );
    }
    // PyFlink: no jar, Flink's own main class.
    let mut value = flink_deployment();
    set(&mut value, "/spec/job/jarURI", json!(null));
    set(
        &mut value,
        "/spec/job/entryClass",
        json!("org.apache.flink.client.python.PythonDriver"),
    );
    set(&mut value, "/spec/job/args", json!(["-py", "/opt/job.py"]));
    assert_eq!(check_flink_deployment(&value), Ok(()));
}

#[test]
fn a_dozen_mistakes_are_told_at_once() {
    let value = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "The-Orders"},
        "spec": {
            "configuration": {
                "kubernetes.operator.bluegreen.abort.grace-period": "0 s",
                "kubernetes.operator.bluegreen.promotoin": "MANUAL",
                "kubernetes.operator.bluegreen.transition-mode": "ADVANCED",
            },
            "ingress": {"template": "https://"},
            "template": {"spec": {
                "flinkVersion": "1.20",
                "flinkConfiguration": {"kubernetes.cluster-id": "orders", "execution": {"checkpointing": {"interval": "often"}}},
                "taskManager": {"resource": {"memory": "2 gigs"}},
                "job": {"parallelism": 0, "savepointRedeployNonce": 1},
            }},
        },
    });
    let problems = check_blue_green(&value).unwrap_err();
    insta::assert_snapshot!(texts(&problems).join("\n"));
}
