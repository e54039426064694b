//! The JobManagers of all children: one HTTP server with Flink's REST paths.
//!
//! Which child is meant stands before Flink's own path, `/<namespace>/<child>/jobs/...`, or in the host name of its REST
//! service, `<child>-rest.<namespace>...`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use kube::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::flink::{Cluster, Look};
use super::reports;
use crate::kinds::{Kind, text};
use crate::scenario::{JobManagerScript, RESOURCE, SavepointOutcome};
use crate::scene::{Inner, Scene};
use crate::watches::Scenes;

/// How long a JobManager hangs that never answers: longer than any client waits.
const FOR_EVER: Duration = Duration::from_hours(1);

/// One answer.
#[derive(Debug)]
enum Reply {
    Json(StatusCode, Value),
    /// In Flink's form for errors.
    Error(StatusCode, String),
    Cut,
    Hang,
}

impl Reply {
    fn ok(value: Value) -> Self {
        Self::Json(StatusCode::OK, value)
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self::Error(StatusCode::NOT_FOUND, message.into())
    }
}

#[derive(Clone)]
struct Server {
    client: Client,
    scenes: Scenes,
}

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, client: Client, scenes: Scenes) -> Result<()> {
    let router = Router::new()
        .fallback(handle)
        .with_state(Server { client, scenes });
    axum::serve(listener, router)
        .await
        .context("the JobManager actor's server ended")
}

async fn handle(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    match server.answer(&method, uri.path(), host, &body).await {
        Reply::Json(status, value) => (status, Json(value)).into_response(),
        Reply::Error(status, message) => (status, Json(json!({ "errors": [message] }))).into_response(),
        Reply::Hang => {
            tokio::time::sleep(FOR_EVER).await;
            cut()
        }
        Reply::Cut => cut(),
    }
}

/// A body that breaks off at once: the connection is closed before anything was sent on it.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}

impl Server {
    async fn answer(&self, method: &Method, path: &str, host: &str, body: &[u8]) -> Reply {
        let Some((namespace, child, path)) = address(path, host) else {
            return Reply::not_found(format!("{host}{path} names no child"));
        };
        let Some(scene) = self.scenes.get(namespace) else {
            return Reply::not_found(format!("no scenario is played in {namespace}"));
        };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if let (&Method::POST, ["jobs", job, "savepoints"]) = (method, parts.as_slice()) {
            let told = self.announced(scene).await;
            let reply = trigger(scene, child, job, &body, told.as_deref());
            scene.changed();
            return reply;
        }
        let mut inner = scene.lock();
        let reply = match at(&mut inner, child) {
            Err(reply) => return reply,
            Ok((cluster, look)) => read(cluster, &look, method, &parts, &body),
        };
        if let Some(what) = counted(method, &parts) {
            inner.count(what);
            inner
                .trace
                .told(format!("{} is asked: {method} {path}", Inner::colour_of(child)));
            drop(inner);
            scene.changed();
        }
        reply
    }

    /// The trigger id that the resource's status names at this moment.
    async fn announced(&self, scene: &Scene) -> Option<String> {
        let api = Kind::BlueGreen.within(&self.client, scene.namespace());
        let resource = api.get_opt(RESOURCE).await.ok()??;
        let id = resource.data.pointer("/status/savepointTriggerId")?.as_str()?;
        Some(id.to_owned())
    }
}

/// Namespace, child and Flink's own path.
fn address<'a>(path: &'a str, host: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let host = host.split(':').next().unwrap_or_default();
    if let Some((child, rest)) = host.split_once("-rest.") {
        let namespace = rest.split('.').next().unwrap_or_default();
        return Some((namespace, child, path));
    }
    let (namespace, rest) = path.strip_prefix('/')?.split_once('/')?;
    let (child, rest) = rest.split_once('/')?;
    Some((namespace, child, rest))
}

/// The cluster of a child whose JobManager answers.
fn at<'a>(inner: &'a mut Inner, child: &str) -> Result<(&'a mut Cluster, Look), Reply> {
    let manager = inner.job_managers.get(child).map(|manager| manager.script);
    match manager.unwrap_or(JobManagerScript::Answers) {
        JobManagerScript::Answers | JobManagerScript::Restarts => {}
        JobManagerScript::FailsWith500 => {
            let words = "Internal server error.".to_owned();
            return Err(Reply::Error(StatusCode::INTERNAL_SERVER_ERROR, words));
        }
        JobManagerScript::FailsWith503 => {
            let words = "Service temporarily unavailable due to an ongoing leader election.".to_owned();
            return Err(Reply::Error(StatusCode::SERVICE_UNAVAILABLE, words));
        }
        JobManagerScript::Hangs => return Err(Reply::Hang),
        JobManagerScript::Cuts => return Err(Reply::Cut),
    }
    let uid = inner
        .children
        .get(child)
        .map(|object| text(object, "/metadata/uid").to_owned())
        .unwrap_or_default();
    let now = Instant::now();
    let (script, since) = inner.script(child);
    // Nobody listens where no cluster is, or where its JobManager is not up yet.
    let cluster = inner
        .clusters
        .get_mut(&uid)
        .filter(|cluster| cluster.started.is_some())
        .ok_or(Reply::Cut)?;
    let look = cluster.look(&script, since, now);
    if look.manager == "READY" {
        Ok((cluster, look))
    } else {
        Err(Reply::Cut)
    }
}

/// What of all that is asked stands in the trace.
fn counted(method: &Method, parts: &[&str]) -> Option<&'static str> {
    match (method.as_str(), parts) {
        ("POST", ["savepoint-disposal"]) => Some("disposals"),
        ("POST" | "PATCH" | "DELETE", _) => Some("other-requests"),
        _ => None,
    }
}

fn read(cluster: &Cluster, look: &Look, method: &Method, parts: &[&str], body: &Value) -> Reply {
    let job = look.job;
    if let ["jobs", id, ..] = parts
        && *id != "overview"
        && *id != cluster.job_id
    {
        return Reply::not_found(format!("Job {id} not found"));
    }
    match (method.as_str(), parts) {
        ("GET", ["jobs", "overview"]) => Reply::ok(reports::overview(cluster, job)),
        ("GET", ["jobs", _]) => Reply::ok(reports::details(cluster, job)),
        ("GET", ["jobs", _, "checkpoints"]) => Reply::ok(reports::checkpoints(cluster)),
        ("GET", ["jobs", _, "exceptions"]) => Reply::ok(reports::exceptions(look.error.as_deref())),
        ("GET", ["jobs", _, "savepoints", trigger]) => match cluster.progress(trigger) {
            Some(progress) => Reply::ok(reports::progress(&progress)),
            None => Reply::not_found(format!(
                "org.apache.flink.runtime.rest.handler.RestHandlerException: There is no savepoint operation with triggerId={trigger} for job {}.",
                cluster.job_id
            )),
        },
        ("POST", ["savepoint-disposal"]) if !text(body, "/savepoint-path").is_empty() => {
            let id = uuid::Uuid::new_v4().simple().to_string();
            Reply::Json(StatusCode::ACCEPTED, json!({ "request-id": id }))
        }
        ("GET", ["savepoint-disposal", _]) => {
            Reply::ok(json!({ "status": { "id": "COMPLETED" }, "operation": {} }))
        }
        ("GET", ["overview"]) => Reply::ok(json!({
            "flink-version": "1.20.5", "flink-commit": "0000000",
            "taskmanagers": 1, "slots-total": 2, "slots-available": 0,
            "jobs-running": 1, "jobs-finished": 0, "jobs-cancelled": 0, "jobs-failed": 0
        })),
        ("GET", ["config"]) => Reply::ok(json!({
            "refresh-interval": 3000, "timezone-name": "UTC", "timezone-offset": 0,
            "flink-version": "1.20.5", "flink-revision": "0000000",
            "features": { "web-submit": false, "web-cancel": false }
        })),
        (method, parts) => Reply::not_found(format!(
            "Unable to load requested file /{} ({method} is not played here).",
            parts.join("/")
        )),
    }
}

/// A request for a savepoint.
fn trigger(scene: &Scene, child: &str, job: &str, body: &Value, announced: Option<&str>) -> Reply {
    let id = match text(body, "/triggerId") {
        "" => uuid::Uuid::new_v4().simple().to_string(),
        id => id.to_owned(),
    };
    let colour = Inner::colour_of(child).to_owned();
    let mut guard = scene.lock();
    let inner = &mut *guard;
    inner.count("savepoint-requests");
    let checked = at(inner, child).map(|(cluster, look)| {
        (
            job == cluster.job_id,
            cluster.requests.contains_key(&id),
            look.job == "RUNNING",
        )
    });
    let outcome = match checked {
        Err(reply) => Err(reply),
        Ok((false, ..)) => Err(Reply::not_found(format!("Job {job} not found"))),
        // The same id is the same savepoint.
        Ok((true, true, _)) => Ok(None),
        Ok((true, false, runs)) => begin(inner, child, &id, body, runs).map(Some),
    };
    let (words, reply) = match outcome {
        Err(reply) => (format!("not taken: {reply:?}"), reply),
        Ok(begun) => {
            let known = begun.is_none();
            if !known && inner.trigger_ids.insert(id.clone()) {
                inner.count("savepoints-begun");
                if announced != Some(id.as_str()) {
                    inner.count("unannounced");
                }
            }
            let accepted = Reply::Json(StatusCode::ACCEPTED, json!({ "request-id": id }));
            match begun {
                None => ("known already".to_owned(), accepted),
                Some(SavepointOutcome::AnswerLost) => {
                    ("accepted, and the answer is lost".to_owned(), Reply::Cut)
                }
                Some(_) => ("accepted".to_owned(), accepted),
            }
        }
    };
    let short = id.get(..8).unwrap_or_default();
    inner
        .trace
        .told(format!("{colour} is asked for savepoint {short}: {words}"));
    reply
}

/// Begins a savepoint as the script says.
fn begin(
    inner: &mut Inner,
    child: &str,
    id: &str,
    body: &Value,
    runs: bool,
) -> Result<SavepointOutcome, Reply> {
    let manager = inner.job_managers.entry(child.to_owned()).or_default();
    let mut script = manager.next_savepoint();
    if !runs {
        script.outcome = SavepointOutcome::Fails;
        "Not all required tasks are currently running.".clone_into(&mut script.cause);
    }
    let outcome = script.outcome;
    match outcome {
        SavepointOutcome::Refused => {
            let words = "The JobManager is too busy.".to_owned();
            return Err(Reply::Error(StatusCode::SERVICE_UNAVAILABLE, words));
        }
        SavepointOutcome::Forgotten => {}
        _ => {
            let (cluster, _) = at(inner, child)?;
            let directory = body.pointer("/target-directory").and_then(Value::as_str);
            cluster.ask(id, directory, script, Instant::now());
        }
    }
    Ok(outcome)
}
