//! Requests to the API server: each sent once, within a limit, and its refusal in a sentence.

use std::time::Duration;

use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::DynamicObject;
use kube::{Api, Client};
use serde::Serialize;
use serde_json::{Value, json};

use crate::kind::{Kind, Name};
use crate::metrics::Metrics;
use crate::object;

/// How long the API server may take to answer. A webhook may take 30 s by its configuration; 10 s are usual.
const LIMIT: Duration = Duration::from_secs(35);

/// Who writes what, one name for each concern, as it stands in `metadata.managedFields`.
pub(crate) mod manager {
    /// The children.
    pub(crate) const CHILD: &str = "sluice-child";
    /// The status.
    pub(crate) use sluice_core::bluegreen::rival::STATUS_MANAGER as STATUS;
    /// The Ingress.
    pub(crate) const INGRESS: &str = "sluice-ingress";
    /// The finalizer and the annotations of a FlinkDeployment.
    pub(crate) const DEPLOYMENT: &str = "sluice-deployment";
    /// The status of a FlinkDeployment.
    pub(crate) const DEPLOYMENT_STATUS: &str = "sluice-deployment-status";
    /// The objects of a Flink cluster.
    pub(crate) const CLUSTER: &str = "sluice-cluster";
    /// Events.
    pub(crate) const EVENT: &str = "sluice-event";
}

/// The API server.
#[derive(Clone)]
pub(crate) struct Server {
    client: Client,
    metrics: Metrics,
}

/// What became of a request that was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// The object is not what was observed: look again.
    #[error("{0}")]
    Stale(String),
    /// The server said no, or could not be asked.
    #[error("{words}")]
    Refused {
        words: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

/// What a delete left.
pub(crate) enum Deleted {
    /// Nothing.
    Gone,
    /// The object, which waits for its finalizers.
    Terminating(Box<DynamicObject>),
}

impl Server {
    pub(crate) const fn new(client: Client, metrics: Metrics) -> Self {
        Self { client, metrics }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
    }

    /// The object as it is now; `None`: it is not there.
    pub(crate) async fn get(&self, kind: Kind, name: &Name) -> Result<Option<DynamicObject>, ServerError> {
        let api = self.api(kind, &name.namespace);
        self.ask("get", kind.name(), name, api.get_opt(&name.name)).await
    }

    /// Creates the object. Stale: there is one of its name.
    pub(crate) async fn create(
        &self,
        kind: Kind,
        manager: &str,
        manifest: &impl Serialize,
    ) -> Result<DynamicObject, ServerError> {
        let object = dynamic(kind, manifest)?;
        let name = object::name_of(&object);
        let api = self.api(kind, &name.namespace);
        self.ask(
            "create",
            kind.name(),
            &name,
            api.create(&parameters(manager), &object),
        )
        .await
    }

    /// Replaces the very object that the manifest's uid and resourceVersion name.
    pub(crate) async fn replace(
        &self,
        kind: Kind,
        manager: &str,
        manifest: &impl Serialize,
    ) -> Result<DynamicObject, ServerError> {
        let object = dynamic(kind, manifest)?;
        let name = object::name_of(&object);
        let api = self.api(kind, &name.namespace);
        let parameters = parameters(manager);
        let request = api.replace(&name.name, &parameters, &object);
        self.ask("update", kind.name(), &name, request).await
    }

    /// Applies the manifest: what it names becomes so, what others added stays.
    pub(crate) async fn apply(
        &self,
        kind: Kind,
        manager: &str,
        manifest: &impl Serialize,
    ) -> Result<DynamicObject, ServerError> {
        let object = dynamic(kind, manifest)?;
        let name = object::name_of(&object);
        let api = self.api(kind, &name.namespace);
        let parameters = PatchParams::apply(manager).force();
        let patch = Patch::Apply(&object);
        self.ask(
            "patch",
            kind.name(),
            &name,
            api.patch(&name.name, &parameters, &patch),
        )
        .await
    }

    /// Merges a patch into the object. With `uid` and `resourceVersion` in its metadata, only into that very version.
    pub(crate) async fn merge(
        &self,
        kind: Kind,
        manager: &str,
        name: &Name,
        patch: &Value,
    ) -> Result<DynamicObject, ServerError> {
        let api = self.api(kind, &name.namespace);
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(patch);
        self.ask(
            "patch",
            kind.name(),
            name,
            api.patch(&name.name, &parameters, &patch),
        )
        .await
    }

    /// All objects with these labels in a namespace.
    pub(crate) async fn list(
        &self,
        kind: Kind,
        name: &Name,
        labels: &str,
    ) -> Result<Vec<DynamicObject>, ServerError> {
        let api = self.api(kind, &name.namespace);
        let parameters = ListParams::default().labels(labels);
        let listed = self.ask("list", kind.name(), name, api.list(&parameters)).await?;
        Ok(listed.items)
    }

    /// Deletes this very object; the garbage collector takes what belongs to it.
    pub(crate) async fn delete(
        &self,
        kind: Kind,
        name: &Name,
        uid: &str,
        resource_version: Option<&str>,
    ) -> Result<Deleted, ServerError> {
        self.delete_with(kind, name, uid, resource_version, DeleteParams::background())
            .await
    }

    /// As [`Self::delete`], but what belongs to the object goes first.
    pub(crate) async fn delete_with_all(
        &self,
        kind: Kind,
        name: &Name,
        uid: &str,
    ) -> Result<Deleted, ServerError> {
        self.delete_with(kind, name, uid, None, DeleteParams::foreground())
            .await
    }

    async fn delete_with(
        &self,
        kind: Kind,
        name: &Name,
        uid: &str,
        resource_version: Option<&str>,
        parameters: DeleteParams,
    ) -> Result<Deleted, ServerError> {
        let parameters = parameters.preconditions(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: resource_version.map(str::to_owned),
        });
        let api = self.api(kind, &name.namespace);
        let answer = self
            .ask("delete", kind.name(), name, api.delete(&name.name, &parameters))
            .await?;
        // An object that is gone at once is answered with a mere status.
        Ok(match answer.left() {
            Some(object) if object.metadata.deletion_timestamp.is_some() => {
                Deleted::Terminating(Box::new(object))
            }
            Some(_) | None => Deleted::Gone,
        })
    }

    /// Makes the status be exactly this one, if the object is still the version that was observed.
    ///
    /// Not applied but replaced: what another operator left in the status must not stay there under its own name.
    pub(crate) async fn write_status(
        &self,
        kind: Kind,
        manager: &str,
        observed: &DynamicObject,
        status: &Value,
    ) -> Result<DynamicObject, ServerError> {
        let name = object::name_of(observed);
        let body = json!({
            "apiVersion": sluice_api::API_VERSION,
            "kind": kind.name(),
            "metadata": {
                "name": name.name,
                "namespace": name.namespace,
                "uid": observed.metadata.uid,
                "resourceVersion": observed.metadata.resource_version,
            },
            "status": status,
        });
        let body = dynamic(kind, &body)?;
        let api = self.api(kind, &name.namespace);
        let parameters = parameters(manager);
        let request = api.replace_status(&name.name, &parameters, &body);
        self.ask("update", kind.status(), &name, request).await
    }

    /// Waits for the answer, not for ever, and sorts it.
    pub(crate) async fn ask<T>(
        &self,
        verb: &'static str,
        what: &'static str,
        name: &Name,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ServerError> {
        self.metrics.requested(verb, what);
        match tokio::time::timeout(LIMIT, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(sorted(&format!("{verb} {what} {name}"), &error)),
            Err(_) => Err(ServerError::Refused {
                words: format!("{verb} {what} {name}: no answer within {} s", LIMIT.as_secs()),
                retry_after: None,
            }),
        }
    }
}

fn parameters(manager: &str) -> PostParams {
    PostParams {
        dry_run: false,
        field_manager: Some(manager.to_owned()),
    }
}

fn dynamic(kind: Kind, manifest: &impl Serialize) -> Result<DynamicObject, ServerError> {
    let words = |error: serde_json::Error| ServerError::Refused {
        words: format!("a {} cannot be written: {error}", kind.name()),
        retry_after: None,
    };
    let value = serde_json::to_value(manifest).map_err(words)?;
    serde_json::from_value(value).map_err(words)
}

fn sorted(what: &str, error: &kube::Error) -> ServerError {
    let kube::Error::Api(status) = error else {
        return ServerError::Refused {
            words: format!("{what}: the API server could not be asked: {}", innermost(error)),
            retry_after: None,
        };
    };
    // 404 on a write: what was observed is gone.
    if status.is_conflict() || status.is_already_exists() || status.is_not_found() {
        return ServerError::Stale(format!("{what}: {}", status.message));
    }
    let seconds = status
        .details
        .as_ref()
        .map_or(0, |details| details.retry_after_seconds);
    ServerError::Refused {
        words: format!("{what}: {}", status.message),
        retry_after: (seconds > 0).then(|| Duration::from_secs(u64::from(seconds))),
    }
}

/// The deepest cause: the layers above it say only that there was an error.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
