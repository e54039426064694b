//! The JobManagers of all clusters in the test, as one HTTP server with Flink's REST paths.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What every JobManager knows, by the name of its cluster.
#[derive(Clone, Default)]
pub(crate) struct Flink(Arc<Mutex<HashMap<String, JobManager>>>);

#[derive(Clone, Debug, Default)]
struct JobManager {
    job: String,
    state: &'static str,
    /// By trigger id.
    savepoints: HashMap<String, String>,
    since: i64,
    checkpoint: Option<String>,
}

impl Flink {
    /// Serves; returns the operator's `--rest-address`.
    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/{{namespace}}/{{name}}")
    }

    /// The JobManager of the cluster is up with this job; it is the same one until it is [gone](Self::gone).
    pub(crate) fn up(&self, cluster: &str, job: &str) {
        let mut all = self.0.lock().unwrap();
        let known = all.get(cluster).is_some_and(|manager| manager.job == job);
        if !known {
            let manager = JobManager {
                job: job.to_owned(),
                state: "RUNNING",
                since: jiff::Timestamp::now().as_millisecond(),
                ..JobManager::default()
            };
            all.insert(cluster.to_owned(), manager);
        }
    }

    /// The JobManager is gone.
    pub(crate) fn gone(&self, cluster: &str) {
        self.0.lock().unwrap().remove(cluster);
    }

    /// The job has completed a checkpoint.
    pub(crate) fn completes(&self, cluster: &str, checkpoint: &str) {
        let mut all = self.0.lock().unwrap();
        all.get_mut(cluster).unwrap().checkpoint = Some(checkpoint.to_owned());
    }
}

async fn answer(
    State(flink): State<Flink>,
    method: Method,
    uri: Uri,
    body: axum::body::Bytes,
) -> (StatusCode, Json<Value>) {
    let parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let mut all = flink.0.lock().unwrap();
    let no = |status: StatusCode| (status, Json(json!({ "errors": [uri.path()] })));
    let [_, cluster, "jobs", job, rest @ ..] = parts.as_slice() else {
        return no(StatusCode::NOT_FOUND);
    };
    let Some(manager) = all.get_mut(*cluster) else {
        return no(StatusCode::SERVICE_UNAVAILABLE);
    };
    if manager.job != *job {
        return no(StatusCode::NOT_FOUND);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (method.as_str(), rest) {
        ("GET", []) => (StatusCode::OK, Json(details(manager))),
        ("GET", ["checkpoints"]) => (StatusCode::OK, Json(checkpoints(manager))),
        ("GET", ["exceptions"]) => (
            StatusCode::OK,
            Json(json!({ "exceptionHistory": { "entries": [], "truncated": false } })),
        ),
        ("POST", ["stop"]) => {
            let id = body["triggerId"].as_str().unwrap().to_owned();
            let directory = body["targetDirectory"].as_str().unwrap();
            manager
                .savepoints
                .entry(id.clone())
                .or_insert_with(|| format!("{directory}/savepoint-1"));
            manager.state = "FINISHED";
            (StatusCode::ACCEPTED, Json(json!({ "request-id": id })))
        }
        ("GET", ["savepoints", id]) => match manager.savepoints.get(*id) {
            Some(location) => (
                StatusCode::OK,
                Json(json!({ "status": { "id": "COMPLETED" }, "operation": { "location": location } })),
            ),
            None => no(StatusCode::NOT_FOUND),
        },
        ("PATCH", []) => {
            manager.state = "CANCELED";
            (StatusCode::ACCEPTED, Json(json!({})))
        }
        _ => no(StatusCode::NOT_FOUND),
    }
}

fn details(manager: &JobManager) -> Value {
    let runs = manager.state == "RUNNING";
    json!({
        "jid": manager.job,
        "name": "orders",
        "isStoppable": false,
        "state": manager.state,
        "start-time": manager.since,
        "end-time": -1,
        "duration": 1000,
        "now": manager.since + 1000,
        "timestamps": { "RUNNING": manager.since },
        "vertices": [{
            "id": "bc764cd8ddf7a0cff126f51c16239658", "name": "Source", "parallelism": 1, "maxParallelism": 128,
            "status": if runs { "RUNNING" } else { "FINISHED" },
            "start-time": manager.since,
            "tasks": if runs { json!({ "RUNNING": 1 }) } else { json!({ "FINISHED": 1 }) },
        }],
    })
}

fn checkpoints(manager: &JobManager) -> Value {
    let completed = manager.checkpoint.as_ref().map(|path| {
        json!({
            "id": 7, "status": "COMPLETED", "is_savepoint": false, "trigger_timestamp": manager.since,
            "latest_ack_timestamp": manager.since + 10, "end_to_end_duration": 10, "state_size": 1,
            "checkpointed_size": 1, "external_path": path, "discarded": false,
        })
    });
    json!({
        "counts": { "restored": 0, "total": 0, "in_progress": 0, "completed": 0, "failed": 0 },
        "latest": { "completed": completed, "savepoint": null, "failed": null, "restored": null },
        "history": [],
    })
}
