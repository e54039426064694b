//! The status is stored as it was written, whatever is in it, and server-side apply replaces it field by field.

use serde_json::{Value, json};
use sluice_api::Kind;
use sluice_api::blue_green::FlinkBlueGreenDeploymentStatus;

use crate::examples::{blue_green, flink_deployment};
use crate::server::Server;

const BLUE_GREEN: Kind = Kind::FlinkBlueGreenDeployment;

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "reason": "R", "message": "m", "observedGeneration": 3, "lastTransitionTime": "2026-11-21T10:00:00Z"})
}

/// Every field that Sluice writes.
fn whole() -> Value {
    json!({
        "jobStatus": {"state": "RECONCILING", "jobName": "orders"},
        "blueGreenState": "TRANSITIONING_TO_GREEN",
        "lastReconciledSpec": "{\"spec\":{}}",
        "lastReconciledTimestamp": "2026-11-21T10:00:00Z",
        "abortTimestamp": "2026-11-21T10:10:00Z",
        "deploymentReadyTimestamp": "1970-01-01T00:00:00Z",
        "savepointTriggerId": "abc",
        "error": "none",
        "active": "BLUE",
        "observedGeneration": 3,
        "conditions": [condition("Available", "True"), condition("Progressing", "True"), condition("Degraded", "False")],
        "transitionNumber": 7,
        "transition": {
            "number": 7, "from": "BLUE", "to": "GREEN", "cause": "SpecChanged", "mode": "BASIC",
            "startedAt": "2026-11-21T10:00:00Z", "spec": "{\"spec\":{}}", "savepoint": "s3://b/s",
            "step": {"name": "Savepointing", "attempt": 1, "triggerId": "abc", "directory": "s3://b", "since": "2026-11-21T10:00:00Z", "deadline": "2026-11-21T10:10:00Z"},
        },
        "failed": {"specHash": "h", "transition": 6, "reason": "NotReady", "message": "m", "at": "2026-11-21T09:00:00Z"},
        "kept": {"color": "GREEN", "transition": 6, "policy": "KEEP", "since": "2026-11-21T09:00:00Z"},
        "savepoints": [{"path": "s3://b/1", "transition": 1, "at": "2026-11-20T10:00:00Z"}, {"path": "s3://b/2", "transition": 2, "at": "2026-11-20T11:00:00Z"}],
        "acknowledged": {"retry": "1"},
        "history": [{"transition": 1, "to": "BLUE", "cause": "FirstDeployment", "mode": "BASIC", "startedAt": "2026-11-20T10:00:00Z", "endedAt": "2026-11-20T10:01:00Z", "outcome": "COMPLETED", "guarantee": "STATELESS", "startupMilliseconds": 8123}],
    })
}

#[tokio::test]
async fn the_whole_status_is_applied_and_what_is_left_out_the_next_time_is_gone() {
    let server = Server::with_our_definitions("status").await;
    server.create(BLUE_GREEN, &blue_green()).await.unwrap();
    let whole = whole();
    let written = server
        .apply_status(BLUE_GREEN, "orders", "sluice", &whole)
        .await
        .unwrap();
    assert_eq!(written["status"], whole);
    // What it says is what Sluice reads.
    let read = FlinkBlueGreenDeploymentStatus::read(&whole);
    assert_eq!(serde_json::to_value(&read).unwrap(), whole);

    let mut next = whole.clone();
    let fields = next.as_object_mut().unwrap();
    for gone in ["failed", "kept", "savepointTriggerId", "error", "acknowledged"] {
        fields.remove(gone);
    }
    next["conditions"] = json!([condition("Available", "False"), condition("Progressing", "True")]);
    next["savepoints"] = json!([{"path": "s3://b/2", "transition": 2, "at": "2026-11-20T11:00:00Z"}]);
    next["jobStatus"] = json!({"state": "RUNNING"});
    next["transition"]["step"] = json!({"name": "Savepointed", "since": "2026-11-21T10:01:00Z"});
    next["history"] = json!([]);
    let written = server
        .apply_status(BLUE_GREEN, "orders", "sluice", &next)
        .await
        .unwrap();
    assert_eq!(written["status"], next);
    assert_eq!(server.get(BLUE_GREEN, "orders").await.unwrap()["status"], next);

    // The same once more changes nothing at all.
    let again = server
        .apply_status(BLUE_GREEN, "orders", "sluice", &next)
        .await
        .unwrap();
    assert_eq!(
        again["metadata"]["resourceVersion"],
        written["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn conditions_of_others_stay_beside_ours_and_a_step_is_replaced_as_a_whole() {
    let server = Server::with_our_definitions("beside").await;
    server.create(BLUE_GREEN, &blue_green()).await.unwrap();
    server
        .apply_status(BLUE_GREEN, "orders", "sluice", &whole())
        .await
        .unwrap();
    let theirs = json!({"conditions": [condition("Audited", "True")]});
    server
        .apply_status(BLUE_GREEN, "orders", "auditor", &theirs)
        .await
        .unwrap();
    // Somebody writes into our step by hand.
    let by_hand = json!({"status": {"transition": {"step": {"attempt": 9, "noted": "by hand"}}}});
    server.merge_status(BLUE_GREEN, "orders", &by_hand).await.unwrap();

    let mut next = whole();
    next["transition"]["step"] = json!({"name": "Savepointed", "since": "2026-11-21T10:01:00Z"});
    let refused = server
        .apply_status(BLUE_GREEN, "orders", "sluice", &next)
        .await
        .unwrap_err();
    assert!(refused.contains("conflict"), "{refused}");
    let written = server
        .force_status(BLUE_GREEN, "orders", "sluice", &next)
        .await
        .unwrap();
    assert_eq!(written["status"]["transition"], next["transition"]);
    let kinds: Vec<&str> = written["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(kinds.contains(&"Audited"));
}

#[tokio::test]
async fn what_sluice_does_not_know_and_what_its_own_life_cycle_keeps_survives() {
    let server = Server::with_our_definitions("unknown").await;
    server.create(BLUE_GREEN, &blue_green()).await.unwrap();
    server
        .create(Kind::FlinkDeployment, &flink_deployment())
        .await
        .unwrap();
    let unknown = json!({"notYetInvented": {"deep": [1, {"a": null, "b": "é"}]}, "jobStatus": {"state": "RUNNING", "newer": 1}});
    let mut wanted = whole();
    wanted["notYetInvented"] = unknown["notYetInvented"].clone();
    wanted["jobStatus"] = unknown["jobStatus"].clone();
    wanted["transition"]["newer"] = json!(["x"]);
    wanted["history"][0]["newer"] = json!({"y": 1});
    server
        .merge_status(BLUE_GREEN, "orders", &json!({ "status": wanted }))
        .await
        .unwrap();
    let stored = server.get(BLUE_GREEN, "orders").await.unwrap();
    // A merge patch takes nulls out of objects.
    wanted["notYetInvented"] = stored["status"]["notYetInvented"].clone();
    assert_eq!(wanted["notYetInvented"]["deep"][1]["b"], "é");
    assert_eq!(stored["status"], wanted);

    let record = json!({"number": 3, "job": "j", "step": {"name": "Running", "since": "2026-11-21T10:00:00Z"}, "list": [1, 2]});
    let status = json!({
        "sluice": record, "lifecycleState": "STABLE", "jobStatus": {"state": "RUNNING", "jobId": "0"},
        "clusterInfo": {"flink-version": "1.20.5"}, "conditions": [condition("Running", "True")],
        "taskManager": {"labelSelector": "a=b", "replicas": 1, "newer": true},
    });
    let kind = Kind::FlinkDeployment;
    server
        .apply_status(kind, "orders", "sluice", &status)
        .await
        .unwrap();
    let stored = server.get(kind, "orders").await.unwrap();
    assert_eq!(stored["status"], status);
}
