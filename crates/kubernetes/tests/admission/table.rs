//! What `kubectl get` shows.

use kube::api::ListParams;
use serde_json::{Value, json};
use sluice_api::Kind;

use crate::examples::{blue_green, set};
use crate::server::Server;

const KIND: Kind = Kind::FlinkBlueGreenDeployment;

/// Name and priority of each column, and the cells of each row.
async fn table(server: &Server) -> (Vec<(String, i64)>, Vec<Vec<Value>>) {
    let mut request = server.requests(KIND).list(&ListParams::default()).unwrap();
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    request.headers_mut().insert("accept", accept.parse().unwrap());
    let table: Value = server.client.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let rows = table["rows"].as_array().unwrap();
    (
        columns
            .iter()
            .map(|it| {
                (
                    it["name"].as_str().unwrap().to_owned(),
                    it["priority"].as_i64().unwrap(),
                )
            })
            .collect(),
        rows.iter()
            .map(|it| it["cells"].as_array().unwrap().clone())
            .collect(),
    )
}

#[tokio::test]
async fn kubectl_get_shows_state_active_side_readiness_and_progress() {
    let server = Server::with_our_definitions("table").await;
    for name in ["new", "orders"] {
        let mut value = blue_green();
        set(&mut value, "/metadata/name", json!(name));
        server.create(KIND, &value).await.unwrap();
    }
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-11-21T10:00:00Z"});
    let status = json!({
        "blueGreenState": "TRANSITIONING_TO_GREEN", "active": "BLUE", "jobStatus": {"state": "RECONCILING"},
        "error": "the last try failed",
        "conditions": [
            condition("Degraded", "False", "AsExpected", ""),
            condition("Available", "True", "JobRunning", "blue serves"),
            condition("Progressing", "True", "Deploying", "waiting for green until 10:10"),
        ],
    });
    server
        .apply_status(KIND, "orders", "sluice", &status)
        .await
        .unwrap();

    let (columns, rows) = table(&server).await;
    let expected = [
        ("Name", 0),
        ("State", 0),
        ("Active", 0),
        ("Job Status", 0),
        ("Ready", 0),
        ("Progress", 0),
        ("Age", 0),
        ("Waiting For", 1),
        ("Error", 1),
    ];
    assert_eq!(
        columns,
        expected.map(|(name, priority)| (name.to_owned(), priority))
    );
    let age = rows[1][6].as_str().unwrap().to_owned();
    assert!(age.ends_with('s') || age.ends_with('m'), "{age}");
    assert_eq!(
        json!(rows[1]),
        json!([
            "orders",
            "TRANSITIONING_TO_GREEN",
            "BLUE",
            "RECONCILING",
            "True",
            "Deploying",
            age,
            "waiting for green until 10:10",
            "the last try failed"
        ])
    );
    // Before the operator has looked at it.
    assert_eq!(rows[0][0], "new");
    assert!(
        rows[0][1..6].iter().all(|cell| cell.is_null() || cell == ""),
        "{:?}",
        rows[0]
    );
}
