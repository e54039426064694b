//! Asks the runner of a directory, over its socket.

mod error;
mod manifest;
mod observation;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_core::Color;
use sluice_core::bluegreen::Observed;

pub use error::ClientError;
pub use manifest::{UnreadableManifest, read_manifests};
pub(crate) use observation::ObservedForm;
pub use wire::{
    Applied, Change, Changes, Component, DeploymentInfo, DocumentProblem, EndpointInfo, EventFilter,
    EventRecord, Info, LogFile, ObjectChange, Severity,
};

use crate::store::{Kind, ObjectKey};
use wire::{AnnotateRequest, ApplyRequest, Refusal, RefusalReason, ShutdownRequest};

/// The runner's socket in its directory.
pub const SOCKET: &str = "sluice.sock";

/// How long an ordinary answer may take: a savepoint on a slow disk may hold the store for a while.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long the runner holds a `watch` before it answers that nothing has changed.
pub(crate) const WATCH_LIMIT: Duration = Duration::from_secs(20);

/// The client of one runner. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    directory: PathBuf,
}

impl Client {
    /// Connects to the runner of the directory.
    ///
    /// Errors: [`ClientError::NotRunning`] if nobody serves it.
    pub async fn connect(directory: &Path) -> Result<Self, ClientError> {
        let client = Self {
            http: reqwest::Client::builder()
                .unix_socket(directory.join(SOCKET))
                .tls_certs_only([])
                .no_proxy()
                .build()
                .map_err(|error| ClientError::NoAnswer {
                    directory: directory.to_owned(),
                    detail: innermost(&error),
                })?,
            directory: directory.to_owned(),
        };
        client.info().await.map_err(|error| match error {
            ClientError::NoAnswer { directory, .. } if !answers(&directory) => {
                ClientError::NotRunning { directory }
            }
            other => other,
        })?;
        Ok(client)
    }

    /// Creates or changes the objects that these documents describe, as `kubectl apply` does.
    ///
    /// All or nothing: [`ClientError::Invalid`] holds every problem of every document, and then nothing was stored.
    pub async fn apply(&self, documents: Vec<Value>) -> Result<Vec<Applied>, ClientError> {
        self.send(Method::POST, "apply", Some(&ApplyRequest { documents }))
            .await
    }

    /// One object. Errors: [`ClientError::NotFound`].
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value, ClientError> {
        self.object(
            Method::GET,
            &ObjectKey::new(kind, namespace, name),
            "",
            None::<&()>,
        )
        .await
    }

    /// All objects of a kind, by namespace and name; of every namespace if none is given.
    pub async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, ClientError> {
        let query: Vec<(&str, &str)> = namespace.map(|it| ("namespace", it)).into_iter().collect();
        self.ask(&format!("objects/{kind}"), &query).await
    }

    /// Deletes an object and, in the background, what it owns. It may be there for a while: its Flink cluster is stopped first.
    ///
    /// Errors: [`ClientError::NotFound`].
    pub async fn delete(&self, kind: Kind, namespace: &str, name: &str) -> Result<(), ClientError> {
        self.object(
            Method::DELETE,
            &ObjectKey::new(kind, namespace, name),
            "",
            None::<&()>,
        )
        .await
    }

    /// Sets an annotation of an object, or removes it (`None`). Answers with the object.
    ///
    /// Errors: [`ClientError::NotFound`].
    pub async fn annotate(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        key: &str,
        value: Option<&str>,
    ) -> Result<Value, ClientError> {
        let body = AnnotateRequest {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        self.object(
            Method::POST,
            &ObjectKey::new(kind, namespace, name),
            "/annotations",
            Some(&body),
        )
        .await
    }

    /// What has happened, oldest first.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>, ClientError> {
        let mut query = Vec::new();
        let since = filter.since.map(|version| version.to_string());
        if let Some(kind) = filter.kind {
            query.push(("kind", kind.name()));
        }
        if let Some(namespace) = &filter.namespace {
            query.push(("namespace", namespace.as_str()));
        }
        if let Some(name) = &filter.name {
            query.push(("name", name.as_str()));
        }
        if let Some(since) = &since {
            query.push(("since", since.as_str()));
        }
        self.ask("events", &query).await
    }

    /// The log files of the Flink processes of a FlinkBlueGreenDeployment or FlinkDeployment of this name.
    ///
    /// Errors: [`ClientError::NotFound`] if there is neither.
    pub async fn logs(
        &self,
        namespace: &str,
        name: &str,
        color: Option<Color>,
        component: Option<Component>,
    ) -> Result<Vec<LogFile>, ClientError> {
        let mut files: Vec<LogFile> = Self::found(
            self.ask_or_refusal(&format!("logs/{namespace}/{name}"), &[])
                .await?,
            &ObjectKey::new(Kind::FlinkBlueGreenDeployment, namespace, name),
        )?;
        files.retain(|file| {
            color.is_none_or(|color| file.color == Some(color))
                && component.is_none_or(|component| file.component == component)
        });
        Ok(files)
    }

    /// All that a decision about a FlinkBlueGreenDeployment may depend on, read afresh: what `plan` decides on.
    ///
    /// Errors: [`ClientError::NotFound`].
    pub async fn observed(&self, namespace: &str, name: &str) -> Result<Observed, ClientError> {
        let form: ObservedForm = Self::found(
            self.ask_or_refusal(&format!("observed/{namespace}/{name}"), &[])
                .await?,
            &ObjectKey::new(Kind::FlinkBlueGreenDeployment, namespace, name),
        )?;
        Ok(form.into())
    }

    /// What has changed since a version of the store (0: everything). Waits for a change for up to 20 s; nothing may have
    /// changed then.
    pub async fn watch(&self, since: u64) -> Result<Changes, ClientError> {
        self.ask("watch", &[("since", &since.to_string())]).await
    }

    /// The runner, its addresses and its figures.
    pub async fn info(&self) -> Result<Info, ClientError> {
        self.ask("info", &[]).await
    }

    /// Ends the runner. With `stop_jobs`, the Flink processes end as well, without a savepoint; otherwise they run on, and
    /// the next runner finds them. Answers when the runner has begun to end; the directory is free when its process is gone.
    pub async fn shutdown(&self, stop_jobs: bool) -> Result<(), ClientError> {
        self.send(Method::POST, "shutdown", Some(&ShutdownRequest { stop_jobs }))
            .await
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, ClientError> {
        let answer = self.ask_or_refusal(path, query).await?;
        answer.map_err(refused)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        self.exchange(method, path, &[], body).await?.map_err(refused)
    }

    async fn object<T: DeserializeOwned>(
        &self,
        method: Method,
        key: &ObjectKey,
        rest: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let path = format!("objects/{}/{}/{}{rest}", key.kind, key.namespace, key.name);
        Self::found(self.exchange(method, &path, &[], body).await?, key)
    }

    fn found<T>(answer: Result<T, Refusal>, key: &ObjectKey) -> Result<T, ClientError> {
        answer.map_err(|refusal| match refusal.reason {
            RefusalReason::NotFound => ClientError::NotFound(key.clone()),
            _ => refused(refusal),
        })
    }

    async fn ask_or_refusal<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Result<T, Refusal>, ClientError> {
        self.exchange(Method::GET, path, query, None::<&()>).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> Result<Result<T, Refusal>, ClientError> {
        // The host is not used: the connection goes to the socket.
        let address = format!("http://sluice/v1/{path}");
        let url = reqwest::Url::parse_with_params(&address, query).map_err(|error| ClientError::Refused {
            message: format!("`{path}` cannot be asked for: {error}"),
        })?;
        let mut request = self
            .http
            .request(method, url)
            .timeout(ANSWER_LIMIT.max(WATCH_LIMIT * 2));
        if let Some(body) = body {
            request = request.json(body);
        }
        let no_answer = |error: &reqwest::Error| ClientError::NoAnswer {
            directory: self.directory.clone(),
            detail: innermost(error),
        };
        let unreadable = |error: serde_json::Error| ClientError::Unreadable {
            directory: self.directory.clone(),
            detail: error.to_string(),
        };
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| no_answer(&error))?;
        if status == StatusCode::OK {
            serde_json::from_slice(&bytes).map(Ok).map_err(unreadable)
        } else {
            serde_json::from_slice(&bytes).map(Err).map_err(unreadable)
        }
    }
}

fn refused(refusal: Refusal) -> ClientError {
    match refusal.reason {
        RefusalReason::Invalid => ClientError::Invalid {
            problems: refusal.problems,
        },
        _ => ClientError::Refused {
            message: refusal.message,
        },
    }
}

/// Whether anybody accepts connections on the socket: a file that was left behind by a killed runner does not.
fn answers(directory: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(directory.join(SOCKET)).is_ok()
}

/// The deepest cause: reqwest's own layers say only "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
