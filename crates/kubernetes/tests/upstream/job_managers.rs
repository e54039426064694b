//! The JobManagers of all children: what the Flink clusters answer that upstream's operator deploys.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What Flink's client of upstream's operator reads as a `RuntimeException: The table orders is not there.`: a
/// `SerializedThrowable` of Flink 1.17, in Java's serialization, as base64.
const THROWABLE: &str = include_str!("throwable.base64");
/// What a job fails of that does.
pub const FAILURE: &str = "The table orders is not there.";

type Answer = (StatusCode, Value);

/// One cluster that a Deployment has brought up.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The uid of its Deployment.
    pub deployment: String,
    /// `$internal.pipeline.job-id`.
    pub job: String,
    /// `execution.savepoint.path`.
    pub restored: Option<String>,
    /// As Flink names it.
    pub state: &'static str,
    /// Savepoints by trigger id.
    savepoints: BTreeMap<String, String>,
    started: i64,
}

impl Cluster {
    /// A job that runs, or one that has failed.
    pub fn new(deployment: String, job: String, restored: Option<String>, state: &'static str) -> Self {
        Self {
            deployment,
            job,
            restored,
            state,
            savepoints: BTreeMap::new(),
            started: Timestamp::now().as_millisecond(),
        }
    }

    /// Where the newest checkpoint of a job of this id would be.
    pub fn checkpoint(job: &str) -> String {
        format!("s3://flink/checkpoints/{job}/chk-7")
    }
}

/// One request that changes something.
#[derive(Clone, Debug)]
pub struct Asked {
    pub namespace: String,
    pub child: String,
    pub what: String,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    clusters: BTreeMap<(String, String), Cluster>,
    asked: Vec<Asked>,
    unknown: Vec<String>,
}

/// Where the JobManager of one child answers.
#[derive(Clone, Debug)]
pub struct Place {
    pub address: Ipv4Addr,
    pub namespace: String,
    pub child: String,
}

#[derive(Clone)]
struct Server {
    managers: JobManagers,
    /// None: the path says which child is meant.
    place: Option<Place>,
}

/// All clusters, by namespace and child.
#[derive(Clone, Default)]
pub struct JobManagers(Arc<Mutex<Inner>>);

impl JobManagers {
    /// Serves all on one port: each child's at an address of its own, as its REST service would, and at 127.0.0.1, where the
    /// path begins with namespace and child. Returns the port; the servers end with the set.
    pub async fn serve(&self, places: &[Place]) -> (u16, JoinSet<()>) {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut servers = JoinSet::new();
        self.serve_at(first, None, &mut servers);
        for place in places {
            let listener = TcpListener::bind((place.address, port)).await.unwrap();
            self.serve_at(listener, Some(place.clone()), &mut servers);
        }
        (port, servers)
    }

    fn serve_at(&self, listener: TcpListener, place: Option<Place>, servers: &mut JoinSet<()>) {
        let server = Server {
            managers: self.clone(),
            place,
        };
        let router = Router::new().fallback(handle).with_state(server);
        servers.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A cluster comes up.
    pub fn up(&self, namespace: &str, child: &str, cluster: Cluster) {
        self.lock()
            .clusters
            .insert((namespace.to_owned(), child.to_owned()), cluster);
    }

    /// The clusters of these Deployments are left; all others are gone.
    pub fn keep(&self, deployments: &[String]) {
        self.lock()
            .clusters
            .retain(|_, cluster| deployments.contains(&cluster.deployment));
    }

    pub fn cluster(&self, namespace: &str, child: &str) -> Option<Cluster> {
        self.lock()
            .clusters
            .get(&(namespace.to_owned(), child.to_owned()))
            .cloned()
    }

    /// What was asked of a namespace's clusters that changes something.
    pub fn asked(&self, namespace: &str) -> Vec<Asked> {
        let inner = self.lock();
        inner
            .asked
            .iter()
            .filter(|asked| asked.namespace == namespace)
            .cloned()
            .collect()
    }

    /// Requests that nobody here knows an answer to.
    pub fn unknown(&self) -> Vec<String> {
        self.lock().unknown.clone()
    }
}

async fn handle(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let (namespace, child, path) = match server.place {
        Some(place) => (place.namespace, place.child, uri.path().to_owned()),
        None => address(uri.path()),
    };
    let path = path.trim_start_matches("/v1").to_owned();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut inner = server.managers.lock();
    if method != Method::GET {
        inner.asked.push(Asked {
            namespace: namespace.clone(),
            child: child.clone(),
            what: format!("{method} {path}"),
            body: body.clone(),
        });
    }
    let Some(cluster) = inner.clusters.get_mut(&(namespace.clone(), child.clone())) else {
        // As a proxy before a Service without endpoints.
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "errors": [] })));
    };
    let Some((status, value)) = answer(cluster, &method, &parts, &body) else {
        inner.unknown.push(format!("{method} {path}"));
        return (
            StatusCode::NOT_FOUND,
            Json(json!({ "errors": [format!("Not found: {path}")] })),
        );
    };
    (status, Json(value))
}

/// Namespace, child, and Flink's own path.
fn address(path: &str) -> (String, String, String) {
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    (next(), next(), format!("/{}", next()))
}

fn answer(cluster: &mut Cluster, method: &Method, parts: &[&str], body: &Value) -> Option<Answer> {
    let ok = |value| Some((StatusCode::OK, value));
    if let ["jobs", job, ..] = parts
        && *job != "overview"
        && *job != cluster.job
    {
        let words = format!("Job {job} not found");
        return Some((StatusCode::NOT_FOUND, json!({ "errors": [words] })));
    }
    match (method.as_str(), parts) {
        ("GET", ["config"]) => ok(json!({
            "refresh-interval": 3000, "timezone-name": "UTC", "timezone-offset": 0,
            "flink-version": "1.18.1", "flink-revision": "a8c8b1c @ 2023-12-20T22:17:36+01:00",
            "features": { "web-submit": false, "web-cancel": false, "web-rescale": false, "web-history": false }
        })),
        ("GET", ["taskmanagers"]) => ok(json!({ "taskmanagers": [] })),
        ("GET", ["jobs", "overview"]) => ok(overview(cluster)),
        ("GET", ["jobs", _, "checkpoints"]) => ok(checkpoints(cluster)),
        ("GET", ["jobs", _, "execution-result"]) => ok(result(cluster)),
        ("POST", ["jobs", _, "savepoints" | "stop"]) if cluster.state != "RUNNING" => {
            let words = "Not all required tasks are currently running.";
            Some((StatusCode::CONFLICT, json!({ "errors": [words] })))
        }
        ("POST", ["jobs", _, what @ ("savepoints" | "stop")]) => {
            // A client that has no id of its own gets one.
            let id = body["triggerId"]
                .as_str()
                .map_or_else(|| format!("{:032x}", cluster.savepoints.len() + 1), str::to_owned);
            let directory = body["target-directory"]
                .as_str()
                .or(body["targetDirectory"].as_str())
                .unwrap_or("s3://flink/savepoints");
            let path = format!("{directory}/savepoint-{}-{what}", &cluster.job[..6]);
            cluster.savepoints.insert(id.clone(), path);
            if *what == "stop" {
                cluster.state = "FINISHED";
            }
            Some((StatusCode::ACCEPTED, json!({ "request-id": id })))
        }
        ("GET", ["jobs", _, "savepoints", id]) => {
            if let Some(path) = cluster.savepoints.get(*id) {
                return ok(json!({ "status": { "id": "COMPLETED" }, "operation": { "location": path } }));
            }
            let words = format!("There is no savepoint operation with triggerId={id}.");
            Some((StatusCode::NOT_FOUND, json!({ "errors": [words] })))
        }
        ("PATCH", ["jobs", _]) => {
            cluster.state = "CANCELED";
            Some((StatusCode::ACCEPTED, json!({})))
        }
        _ => None,
    }
}

fn overview(cluster: &Cluster) -> Value {
    let running = i32::from(cluster.state == "RUNNING");
    json!({ "jobs": [{
        "jid": cluster.job, "name": "orders", "state": cluster.state,
        "start-time": cluster.started, "end-time": -1, "duration": 1000,
        "last-modification": cluster.started,
        "tasks": {
            "total": 1, "created": 0, "scheduled": 0, "deploying": 0, "running": running,
            "finished": 0, "canceling": 0, "canceled": 0, "failed": 0, "reconciling": 0, "initializing": 0
        }
    }] })
}

fn checkpoints(cluster: &Cluster) -> Value {
    let fails = cluster.state == "FAILED";
    let now = Timestamp::now().as_millisecond();
    let statistics = |id: u64, is_savepoint: bool, path: &str| {
        json!({
            "className": "completed", "@class": "completed",
            "id": id, "status": "COMPLETED", "is_savepoint": is_savepoint, "savepointFormat": null,
            "trigger_timestamp": now - 20, "latest_ack_timestamp": now - 10,
            "checkpointed_size": 1024, "state_size": 1024, "end_to_end_duration": 10,
            "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0,
            "num_subtasks": 1, "num_acknowledged_subtasks": 1,
            "checkpoint_type": if is_savepoint { "SAVEPOINT" } else { "CHECKPOINT" },
            "tasks": {}, "external_path": path, "discarded": false
        })
    };
    let checkpoint = (!fails).then(|| statistics(7, false, &Cluster::checkpoint(&cluster.job)));
    let savepoint = cluster.savepoints.values().last();
    let savepoint = savepoint.map(|path| statistics(8, true, path));
    let restored = cluster.restored.as_ref().map(|path| {
        json!({
            "id": 1, "restore_timestamp": cluster.started, "is_savepoint": true, "external_path": path
        })
    });
    let count = i32::from(!fails);
    json!({
        "counts": {
            "restored": i32::from(restored.is_some()), "total": count, "in_progress": 0, "completed": count, "failed": 0
        },
        "summary": null,
        "latest": { "completed": checkpoint, "savepoint": savepoint, "failed": null, "restored": restored },
        "history": []
    })
}

fn result(cluster: &Cluster) -> Value {
    let failure = (cluster.state == "FAILED").then(|| {
        json!({
            "class": "java.lang.RuntimeException",
            "stack-trace": format!("java.lang.RuntimeException: {FAILURE}\n\tat orders.Main.main(Main.java:1)\n"),
            "serialized-throwable": THROWABLE.trim()
        })
    });
    json!({
        "status": { "id": "COMPLETED" },
        "job-execution-result": {
            "id": cluster.job, "application-status": if failure.is_some() { "FAILED" } else { "SUCCEEDED" },
            "accumulator-results": {}, "net-runtime": 1000, "failure-cause": failure
        }
    })
}
