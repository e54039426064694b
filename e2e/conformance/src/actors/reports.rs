//! What Flink's REST API answers about a job, as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::flink::{Cluster, Progress};

/// `GET /jobs/overview`.
pub(crate) fn overview(cluster: &Cluster, job: &str) -> Value {
    json!({ "jobs": [{
        "jid": cluster.job_id,
        "name": "orders",
        "state": job,
        "start-time": milliseconds(),
        "end-time": -1,
        "duration": 1000,
        "last-modification": milliseconds(),
        "tasks": {}
    }] })
}

/// `GET /jobs/<id>`.
pub(crate) fn details(cluster: &Cluster, job: &str) -> Value {
    let runs = job == "RUNNING";
    let now = milliseconds();
    json!({
        "jid": cluster.job_id,
        "name": "orders",
        "isStoppable": false,
        "state": job,
        "start-time": now - 1000,
        "end-time": -1,
        "duration": 1000,
        "now": now,
        "timestamps": { job: now - 500 },
        "vertices": [{
            "id": "bc764cd8ddf7a0cff126f51c16239658",
            "name": "Source: orders -> Sink: ledger",
            "parallelism": 2,
            "maxParallelism": 128,
            "status": if runs { "RUNNING" } else { "CREATED" },
            "start-time": now - 900,
            "tasks": if runs { json!({ "RUNNING": 2 }) } else { json!({ "CREATED": 2 }) }
        }]
    })
}

/// `GET /jobs/<id>/checkpoints`.
pub(crate) fn checkpoints(cluster: &Cluster) -> Value {
    let now = milliseconds();
    let completed = cluster.checkpoint_path().map(|path| {
        json!({
            "id": cluster.checkpoint,
            "status": "COMPLETED",
            "is_savepoint": false,
            "trigger_timestamp": now - 20,
            "latest_ack_timestamp": now - 10,
            "end_to_end_duration": 10,
            "state_size": 1024,
            "checkpointed_size": 1024,
            "external_path": path,
            "discarded": false
        })
    });
    let number = cluster.checkpoint;
    json!({
        "counts": { "restored": 0, "total": number, "in_progress": 0, "completed": number, "failed": 0 },
        "latest": { "completed": completed, "savepoint": null, "failed": null, "restored": null },
        "history": []
    })
}

/// `GET /jobs/<id>/exceptions`.
pub(crate) fn exceptions(error: Option<&str>) -> Value {
    let entries: Vec<Value> = error
        .map(|error| {
            json!({
                "exceptionName": "java.lang.RuntimeException",
                "stacktrace": format!("java.lang.RuntimeException: {error}\n\tat orders.Main.main(Main.java:1)\n"),
                "timestamp": milliseconds()
            })
        })
        .into_iter()
        .collect();
    json!({ "exceptionHistory": { "entries": entries, "truncated": false } })
}

/// `GET /jobs/<id>/savepoints/<trigger id>`.
pub(crate) fn progress(progress: &Progress<'_>) -> Value {
    match progress {
        Progress::Running => json!({ "status": { "id": "IN_PROGRESS" }, "operation": null }),
        Progress::Completed(path) => {
            json!({ "status": { "id": "COMPLETED" }, "operation": { "location": path } })
        }
        Progress::Failed(cause) => {
            let class = "org.apache.flink.runtime.checkpoint.CheckpointException";
            json!({ "status": { "id": "COMPLETED" }, "operation": { "failure-cause": {
                "class": class,
                "stack-trace": format!("{class}: {cause}\n\tat orders.Main.main(Main.java:1)\n"),
                "serialized-throwable": ""
            } } })
        }
    }
}

fn milliseconds() -> i64 {
    Timestamp::now().as_millisecond()
}
