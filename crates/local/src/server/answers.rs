//! The answers, one function for each request.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use sluice_core::Color;

use super::documents;
use crate::client::wire::{AnnotateRequest, ApplyRequest, Refusal, RefusalReason, ShutdownRequest};
use crate::client::{
    Applied, Changes, Component, DeploymentInfo, EventFilter, EventRecord, Info, LogFile, ObjectChange,
    ObservedForm, WATCH_LIMIT,
};
use crate::endpoint;
use crate::runner::{Context, Depth, End, observe};
use crate::store::{Kind, ObjectKey, Preconditions, StoreError, UnknownKind};

type Shared = State<Arc<Context>>;
type Answer<T> = Result<Json<T>, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.reason {
            RefusalReason::NotFound => StatusCode::NOT_FOUND,
            RefusalReason::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalReason::BadRequest => StatusCode::BAD_REQUEST,
            RefusalReason::Store => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(self)).into_response()
    }
}

impl Refusal {
    fn new(reason: RefusalReason, message: &impl ToString) -> Self {
        Self {
            reason,
            message: message.to_string(),
            problems: Vec::new(),
        }
    }

    fn not_found(key: &ObjectKey) -> Self {
        Self::new(RefusalReason::NotFound, &StoreError::NotFound(key.clone()))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let reason = match error {
            StoreError::NotFound(_) => RefusalReason::NotFound,
            _ => RefusalReason::Store,
        };
        Self::new(reason, &error)
    }
}

impl From<UnknownKind> for Refusal {
    fn from(error: UnknownKind) -> Self {
        Self::new(RefusalReason::BadRequest, &error)
    }
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    namespace: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WatchQuery {
    #[serde(default)]
    since: u64,
}

pub(super) async fn apply(State(context): Shared, Json(request): Json<ApplyRequest>) -> Answer<Vec<Applied>> {
    let objects =
        documents::read(request.documents, &context.options.defaults).map_err(|problems| Refusal {
            problems,
            ..Refusal::new(RefusalReason::Invalid, &"nothing was applied")
        })?;
    let applied = context.store.apply(objects)?;
    let told = applied.into_iter().map(|applied| Applied {
        kind: applied.object.key.kind,
        namespace: applied.object.key.namespace,
        name: applied.object.key.name,
        change: applied.change,
    });
    Ok(Json(told.collect()))
}

pub(super) async fn list(
    State(context): Shared,
    Path(kind): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<Vec<Value>> {
    let objects = context.store.list(kind.parse()?, query.namespace.as_deref())?;
    Ok(Json(objects.iter().map(crate::store::Object::to_value).collect()))
}

pub(super) async fn get(
    State(context): Shared,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Answer<Value> {
    let key = ObjectKey::new(kind.parse()?, namespace, name);
    let object = context.store.get(&key)?.ok_or_else(|| Refusal::not_found(&key))?;
    Ok(Json(object.to_value()))
}

pub(super) async fn delete(
    State(context): Shared,
    Path((kind, namespace, name)): Path<(String, String, String)>,
) -> Answer<()> {
    let key = ObjectKey::new(kind.parse()?, namespace, name);
    context.store.delete(&key, &Preconditions::default())?;
    Ok(Json(()))
}

pub(super) async fn annotate(
    State(context): Shared,
    Path((kind, namespace, name)): Path<(String, String, String)>,
    Json(request): Json<AnnotateRequest>,
) -> Answer<Value> {
    let key = ObjectKey::new(kind.parse()?, namespace, name);
    let object = context
        .store
        .annotate(&key, &request.key, request.value.as_deref())?;
    Ok(Json(object.to_value()))
}

pub(super) async fn events(
    State(context): Shared,
    Query(filter): Query<EventFilter>,
) -> Answer<Vec<EventRecord>> {
    Ok(Json(context.store.events(&filter)?))
}

pub(super) async fn logs(
    State(context): Shared,
    Path((namespace, name)): Path<(String, String)>,
) -> Answer<Vec<LogFile>> {
    let parent = ObjectKey::new(Kind::FlinkBlueGreenDeployment, namespace, name.clone());
    let own = parent.beside(Kind::FlinkDeployment, name.clone());
    let mut deployments = vec![(own.clone(), None)];
    let is_parent = context.store.get(&parent)?.is_some();
    if is_parent {
        deployments.extend(Color::BOTH.map(|color| {
            let child = parent.beside(Kind::FlinkDeployment, color.child_name(&name));
            (child, Some(color))
        }));
    } else if context.store.get(&own)?.is_none() && context.store.last_removed(&own)?.is_none() {
        return Err(Refusal::not_found(&parent));
    }
    let mut files = Vec::new();
    for (key, color) in deployments {
        // The logs of a deployment that is gone are what tells why.
        let found = match context.store.get(&key)? {
            Some(object) => Some(object),
            None => context.store.last_removed(&key)?,
        };
        let Some(uid) = found.map(|object| object.uid().to_owned()) else {
            continue;
        };
        let found = context
            .launcher(move |launcher| launcher.log_files(&uid))
            .await
            .map_err(|error| Refusal::new(RefusalReason::Store, &error))?;
        files.extend(found.into_iter().map(|file| LogFile {
            deployment: key.name.clone(),
            color,
            component: if file.process.starts_with("jobmanager") {
                Component::JobManager
            } else {
                Component::TaskManager
            },
            path: file.path,
        }));
    }
    Ok(Json(files))
}

pub(super) async fn observed(
    State(context): Shared,
    Path((namespace, name)): Path<(String, String)>,
) -> Answer<ObservedForm> {
    let key = ObjectKey::new(Kind::FlinkBlueGreenDeployment, namespace, name);
    let observed = Box::pin(observe(&context, &key, Depth::Full))
        .await
        .map_err(|error| Refusal::new(RefusalReason::Store, &error))?;
    observed
        .map(|observed| Json(observed.into()))
        .ok_or_else(|| Refusal::not_found(&key))
}

pub(super) async fn watch(State(context): Shared, Query(query): Query<WatchQuery>) -> Answer<Changes> {
    let mut version = context.store.watch();
    let mut end = context.end.subscribe();
    // Waits for a change, for the end of patience or for the end of the runner, whichever comes first.
    let newer = version.wait_for(|version| *version > query.since);
    tokio::select! {
        _ = newer => {}
        () = tokio::time::sleep(WATCH_LIMIT) => {}
        _ = end.wait_for(Option::is_some) => {}
    }
    let changes = context.store.changes(query.since)?;
    let events = context.store.events(&EventFilter {
        since: Some(query.since),
        ..EventFilter::default()
    })?;
    let objects = changes
        .objects
        .into_iter()
        .map(|(version, key, object)| ObjectChange {
            version,
            kind: key.kind,
            namespace: key.namespace,
            name: key.name,
            object: object.map(|object| object.to_value()),
        });
    Ok(Json(Changes {
        version: changes.version,
        incomplete: changes.incomplete,
        objects: objects.collect(),
        events,
    }))
}

pub(super) async fn info(State(context): Shared) -> Answer<Info> {
    let mut deployments = Vec::new();
    for object in context.store.list(Kind::FlinkDeployment, None)? {
        if let Some(rest) = context.rest_address(object.uid().to_owned()).await {
            deployments.push(DeploymentInfo {
                namespace: object.key.namespace,
                name: object.key.name,
                rest,
            });
        }
    }
    // Taken on a line of its own: the guard would live to the end of the expression, and a write waits for it while it
    // holds the store that `endpoint::list` waits for.
    let store_version = *context.store.watch().borrow();
    Ok(Json(Info {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: context.started_at,
        directory: context.directory.clone(),
        store_version,
        endpoints: endpoint::list(&context)?,
        deployments,
        figures: context.memory.figures(),
    }))
}

pub(super) async fn shutdown(State(context): Shared, Json(request): Json<ShutdownRequest>) -> Answer<()> {
    let how = if request.stop_jobs {
        End::StopJobs
    } else {
        End::KeepJobs
    };
    // After this answer is on its way.
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        context.end.send_replace(Some(how));
    });
    Ok(Json(()))
}
