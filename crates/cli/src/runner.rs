//! What every command needs of the runner.

use std::env;
use std::path::PathBuf;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::blue_green::Color;
use sluice_local::client::{Client, ClientError, EventFilter, EventRecord, Info, Severity};
use sluice_local::store::{DEFAULT_NAMESPACE, Kind};

use crate::failure::Failure;
use crate::output::Out;
use crate::view::Snapshot;
use crate::view::events::EventLine;

/// The options that every command has.
#[derive(Debug)]
pub(crate) struct Context {
    /// `--namespace`, if given.
    pub(crate) namespace: Option<String>,
    /// `--directory`, if given.
    pub(crate) directory: Option<PathBuf>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// Standard output.
    pub(crate) out: Out,
}

impl Context {
    /// The namespace to look in.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
    }

    /// The runner's directory.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        let set = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        self.directory
            .clone()
            .or_else(|| set("SLUICE_HOME"))
            .or_else(|| Some(set("XDG_STATE_HOME")?.join("sluice")))
            .or_else(|| Some(set("HOME")?.join(".local").join("state").join("sluice")))
            .map(|directory| std::path::absolute(&directory).unwrap_or(directory))
            .ok_or_else(|| {
                Failure::refused(
                    "There is no home directory to keep things in: give --directory, or set SLUICE_HOME.",
                )
            })
    }

    /// The client of the runner.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.directory()?).await.map_err(failed)
    }
}

/// The runner's refusal as the user reads it.
#[expect(clippy::needless_pass_by_value, reason = "it is for `map_err`")]
pub(crate) fn failed(error: ClientError) -> Failure {
    let text = error.to_string();
    let mut letters = text.chars();
    let begin = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with(['.', '!', '`']) && !text.ends_with('`') {
        ""
    } else {
        "."
    };
    match error {
        // Each problem is a line of its own that begins with the name of an object.
        ClientError::Invalid { .. } => Failure::Refused(format!("Nothing was applied:\n{text}")),
        _ => Failure::Refused(format!("{begin}{}{end}", letters.as_str())),
    }
}

/// A value as its type.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::refused(format!("The runner's answer cannot be read: {error}.")))
}

/// An object that may not be there.
pub(crate) async fn optional<T: DeserializeOwned>(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Option<T>, Failure> {
    match client.get(kind, namespace, name).await {
        Ok(value) => read(value).map(Some),
        Err(ClientError::NotFound(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A future on the heap: a resource is large, and every caller's own future would hold it.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A blue/green resource with its children and its address, without events.
pub(crate) fn snapshot<'a>(client: &'a Client, namespace: &'a str, name: &'a str) -> Boxed<'a, Snapshot> {
    Box::pin(fetch(client, namespace, name))
}

async fn fetch(client: &Client, namespace: &str, name: &str) -> Result<Snapshot, Failure> {
    let resource = client
        .get(Kind::FlinkBlueGreenDeployment, namespace, name)
        .await
        .map_err(failed)?;
    let info = client.info().await.map_err(failed)?;
    around(client, namespace, read(resource)?, &info).await
}

/// A resource as a snapshot.
pub(crate) fn around<'a>(
    client: &'a Client,
    namespace: &'a str,
    resource: FlinkBlueGreenDeployment,
    info: &'a Info,
) -> Boxed<'a, Snapshot> {
    Box::pin(with_children(client, namespace, resource, info))
}

async fn with_children(
    client: &Client,
    namespace: &str,
    resource: FlinkBlueGreenDeployment,
    info: &Info,
) -> Result<Snapshot, Failure> {
    let name = resource.metadata.name.clone().unwrap_or_default();
    let child = |color: Color| {
        let child_name = color.child_name(&name);
        async move { optional(client, Kind::FlinkDeployment, namespace, &child_name).await }
    };
    let endpoint = info
        .endpoints
        .iter()
        .find(|endpoint| endpoint.namespace == namespace && endpoint.name == name)
        .map(|endpoint| match &endpoint.problem {
            Some(problem) => format!("{} ({problem})", endpoint.address),
            None => endpoint.address.clone(),
        });
    Ok(Snapshot {
        blue: child(Color::Blue).await?,
        green: child(Color::Green).await?,
        resource,
        endpoint,
        events: Vec::new(),
    })
}

/// Events of one resource of any kind, or of all, oldest first.
pub(crate) async fn events(client: &Client, filter: &EventFilter) -> Result<Vec<EventLine>, Failure> {
    let records = client.events(filter).await.map_err(failed)?;
    Ok(records.into_iter().map(event_line).collect())
}

/// An event as it is shown.
pub(crate) fn event_line(record: EventRecord) -> EventLine {
    let times = if record.count > 1 {
        format!(" ({} times)", record.count)
    } else {
        String::new()
    };
    EventLine {
        at: record.last_at,
        warning: record.severity == Severity::Warning,
        reason: record.reason,
        object: format!("{}/{}", record.kind, record.name),
        message: record.message + &times,
    }
}
