//! Objects from before the rules: nobody is locked out of them.

use std::time::Duration;

use serde_json::{Value, json};
use sluice_api::Kind;

use crate::examples::{blue_green, set};
use crate::server::{Server, problems};

const KIND: Kind = Kind::FlinkBlueGreenDeployment;

/// The definition as it would be without any rule.
fn without_rules(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for keyword in [
                "x-kubernetes-validations",
                "maxLength",
                "maxProperties",
                "minimum",
            ] {
                fields.remove(keyword);
            }
            fields.values_mut().for_each(without_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(without_rules),
        _ => {}
    }
}

/// As wrong as it can be: its name is too long, and every part breaks a rule.
fn old(name: &str) -> Value {
    let mut value = blue_green();
    for (path, new) in [
        ("/metadata/name", json!(name)),
        (
            "/spec/configuration",
            json!({
                "kubernetes.operator.bluegreen.abort.grace-period": "soon",
                "kubernetes.operator.bluegreen.transition-mode": "BASIC",
                "kubernetes.operator.bluegreen.promotoin": "MANUAL",
            }),
        ),
        ("/spec/transitionMode", json!("ADVANCED")),
        ("/spec/ingress", json!({"template": "https://"})),
        ("/spec/template/spec/flinkVersion", json!("1.20")),
        ("/spec/template/spec/job/parallelism", json!(0)),
        ("/spec/template/spec/job/upgradeMode", json!("stateless")),
        ("/spec/template/spec/taskManager/resource/memory", json!("lots")),
    ] {
        set(&mut value, path, new);
    }
    value
}

#[tokio::test]
async fn an_object_from_before_the_rules_can_be_watched_labelled_fixed_bit_by_bit_and_deleted() {
    let mut before = KIND.definition();
    without_rules(&mut before);
    let server = Server::with_definitions("before", &[before]).await;
    let name = "orders-of-a-name-that-has-more-than-39-characters";
    server.create(KIND, &old(name)).await.unwrap();
    let status = json!({"status": {"blueGreenState": "ACTIVE_BLUE"}});
    server.merge_status(KIND, name, &status).await.unwrap();

    server.install(&KIND.definition()).await;
    // The API server takes a moment to judge by the new definition.
    let mut bad = blue_green();
    set(&mut bad, "/spec/ingress/template", json!("https://"));
    let mut asked = 0;
    while server.would_take(KIND, &bad).await.is_ok() {
        asked += 1;
        assert!(asked < 100, "the rules are not in force");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        server
            .would_take(KIND, &old("another-name-that-has-more-than-39-characters"))
            .await
            .is_err()
    );

    // The controller writes that the specification is not valid.
    let status = json!({"status": {
        "error": "spec.configuration: ...", "active": "BLUE",
        "conditions": [{"type": "SpecValid", "status": "False", "reason": "Invalid", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }});
    let written = server.merge_status(KIND, name, &status).await.unwrap();
    assert_eq!(written["status"]["blueGreenState"], "ACTIVE_BLUE");

    // Its user puts a label and a finalizer, then fixes one thing after another; each step is taken.
    let label = json!({"metadata": {"labels": {"team": "a"}, "finalizers": ["example.org/keep"]}});
    server.merge(KIND, name, &label).await.unwrap();
    for (step, patch) in [
        (
            "another image",
            json!({"template": {"spec": {"image": "orders:2"}}}),
        ),
        (
            "a version",
            json!({"template": {"spec": {"flinkVersion": "v1_20"}}}),
        ),
        (
            "memory",
            json!({"template": {"spec": {"taskManager": {"resource": {"memory": "2g"}}}}}),
        ),
        (
            "a template",
            json!({"ingress": {"template": "orders.example.org"}}),
        ),
        (
            "the settings, at once",
            json!({"configuration": {
                "kubernetes.operator.bluegreen.abort.grace-period": "5 min",
                "kubernetes.operator.bluegreen.transition-mode": null,
                "kubernetes.operator.bluegreen.promotoin": null,
            }}),
        ),
        (
            "the job",
            json!({"template": {"spec": {"job": {"parallelism": 2, "upgradeMode": "savepoint"}}}}),
        ),
    ] {
        let answer = server.merge(KIND, name, &json!({ "spec": patch })).await;
        answer.unwrap_or_else(|message| panic!("{step}: {message}"));
    }
    let fixed = server.get(KIND, name).await.unwrap();
    // All is right now but the name, which can never change; that, the controller still tells.
    let left = problems(KIND, &fixed);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].field, "metadata.name");
    // From here on the rules hold: what was right does not become wrong again.
    for worse in [
        json!({"spec": {"ingress": {"template": "https://"}}}),
        json!({"spec": {"template": {"spec": {"job": {"upgradeMode": null}}}}}),
        json!({"spec": {"template": {"spec": {"job": {"parallelism": null}}}}}),
        json!({"spec": {"template": null}}),
    ] {
        server.merge(KIND, name, &worse).await.unwrap_err();
    }

    // Deleting it, and taking the finalizer away.
    server.delete(KIND, name).await;
    let released = server
        .merge(KIND, name, &json!({"metadata": {"finalizers": null}}))
        .await;
    released.unwrap();
    assert!(server.get(KIND, name).await.is_err());
    server.remove().await;
}
