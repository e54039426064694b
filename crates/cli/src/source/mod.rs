//! Where resources come from: the runner of this machine, or a cluster. The commands do not know which.

mod cluster;
mod local;

use std::pin::Pin;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_api::blue_green::Color;
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::bluegreen::Observed;
use sluice_local::client::{EventFilter, EventRecord, Severity};
use sluice_local::store::{DEFAULT_NAMESPACE, Kind};

pub(crate) use cluster::Cluster;
pub(crate) use local::Local;

use crate::failure::Failure;
use crate::view::Snapshot;
use crate::view::events::EventLine;

/// Where resources come from.
pub(crate) enum Source {
    /// The runner of this machine.
    Local(Local),
    /// A cluster.
    Cluster(Cluster),
}

/// Which objects a command waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The blue/green resource.
    Resource,
    /// The resource and both children.
    WithChildren,
}

/// Changes of what a command looks at.
pub(crate) enum Changes<'a> {
    /// Of anything that the runner keeps.
    Local(local::Changes<'a>),
    /// Of the objects of the scope.
    Cluster(cluster::Changes),
}

/// A future on the heap: a resource is large, and every caller's own future would hold it.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

impl Source {
    /// The namespace to look in.
    pub(crate) fn namespace(&self) -> &str {
        match self {
            Self::Local(local) => &local.namespace,
            Self::Cluster(cluster) => cluster.namespace(),
        }
    }

    /// What people write to ask it once more.
    pub(crate) const fn program(&self) -> &'static str {
        match self {
            Self::Local(_) => "sluice",
            Self::Cluster(cluster) => cluster.program(),
        }
    }

    /// Who decides there.
    pub(crate) const fn decider(&self) -> &'static str {
        match self {
            Self::Local(_) => "runner",
            Self::Cluster(_) => "operator",
        }
    }

    /// The namespace, for a sentence about something that is not there, as far as it has to be said.
    pub(crate) fn within(&self, namespace: &str) -> String {
        match self {
            Self::Local(_) if namespace == DEFAULT_NAMESPACE => String::new(),
            Self::Local(_) | Self::Cluster(_) => format!(" in the namespace {namespace}"),
        }
    }

    /// An object, if it is there.
    pub(crate) async fn get(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        match self {
            Self::Local(local) => local.get(kind, namespace, name).await,
            Self::Cluster(cluster) => cluster.get(kind, namespace, name).await,
        }
    }

    /// An object that has to be there.
    pub(crate) async fn required(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value, Failure> {
        match self.get(kind, namespace, name).await? {
            Some(object) => Ok(object),
            None => Err(match self {
                Self::Local(_) => local::missing(kind, namespace, name),
                Self::Cluster(cluster) => cluster.missing(kind, namespace, name),
            }),
        }
    }

    /// The blue/green resource of a name, in the namespace to look in.
    pub(crate) async fn resource(&self, name: &str) -> Result<FlinkBlueGreenDeployment, Failure> {
        read(
            self.required(Kind::FlinkBlueGreenDeployment, self.namespace(), name)
                .await?,
        )
    }

    /// All objects of a kind, by namespace and name; of every namespace if none is given.
    pub(crate) async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Failure> {
        match self {
            Self::Local(local) => local.list(kind, namespace).await,
            Self::Cluster(cluster) => cluster.list(kind, namespace).await,
        }
    }

    /// Sets an annotation of a blue/green resource.
    pub(crate) async fn annotate(&self, name: &str, key: &str, value: &str) -> Result<(), Failure> {
        match self {
            Self::Local(local) => local.annotate(name, key, value).await,
            Self::Cluster(cluster) => cluster.annotate(name, key, value).await,
        }
    }

    /// What has happened, oldest first.
    pub(crate) async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>, Failure> {
        match self {
            Self::Local(local) => local.events(filter).await,
            Self::Cluster(cluster) => cluster.events(filter).await,
        }
    }

    /// What was told since `before` was read, now that the status says that something was done.
    pub(crate) async fn events_since(
        &self,
        filter: &EventFilter,
        before: &[EventRecord],
    ) -> Result<Vec<EventRecord>, Failure> {
        match self {
            Self::Local(local) => Ok(newer(local.events(filter).await?, before)),
            Self::Cluster(cluster) => cluster.events_since(filter, before).await,
        }
    }

    /// All that a decision about a blue/green resource may depend on, read afresh; `None`: there is no such resource.
    pub(crate) async fn observed(&self, namespace: &str, name: &str) -> Result<Option<Observed>, Failure> {
        match self {
            Self::Local(local) => local.observed(namespace, name).await,
            Self::Cluster(cluster) => Box::pin(cluster.observed(namespace, name)).await,
        }
    }

    /// The address of a resource's or a FlinkDeployment's REST API and web UI, if it has one that can be told.
    pub(crate) async fn endpoint(&self, kind: Kind, object: &Value) -> Result<Option<String>, Failure> {
        match self {
            Self::Local(local) => local.endpoint(kind, object).await,
            Self::Cluster(cluster) => cluster.endpoint(kind, object).await,
        }
    }

    /// Tells when something of the resource of this name changes.
    pub(crate) async fn changes(&self, name: &str, scope: Scope) -> Result<Changes<'_>, Failure> {
        match self {
            Self::Local(local) => Ok(Changes::Local(local.changes())),
            Self::Cluster(cluster) => cluster.changes(name, scope).await.map(Changes::Cluster),
        }
    }

    /// A blue/green resource with its children and its address, without events.
    pub(crate) fn snapshot(&self, object: Value) -> Boxed<'_, Snapshot> {
        Box::pin(async move {
            let endpoint = self.endpoint(Kind::FlinkBlueGreenDeployment, &object).await?;
            Ok(Snapshot {
                endpoint,
                ..self.with_children(object).await?
            })
        })
    }

    fn with_children(&self, object: Value) -> Boxed<'_, Snapshot> {
        Box::pin(async move {
            let resource: FlinkBlueGreenDeployment = read(object)?;
            let namespace = resource.metadata.namespace.as_deref().unwrap_or_default();
            let name = resource.metadata.name.as_deref().unwrap_or_default();
            let (blue, green) = (Color::Blue.child_name(name), Color::Green.child_name(name));
            let blue = self.get(Kind::FlinkDeployment, namespace, &blue).await?;
            let green = self.get(Kind::FlinkDeployment, namespace, &green).await?;
            Ok(Snapshot {
                blue: blue.map(read).transpose()?,
                green: green.map(read).transpose()?,
                resource,
                ..Snapshot::default()
            })
        })
    }

    /// Blue/green resources with their children, without addresses and events. The children of many are asked for at once.
    pub(crate) async fn snapshots(
        &self,
        objects: Vec<Value>,
        namespace: Option<&str>,
    ) -> Result<Vec<Snapshot>, Failure> {
        if objects.len() < 2 {
            let mut snapshots = Vec::new();
            for object in objects {
                snapshots.push(self.with_children(object).await?);
            }
            return Ok(snapshots);
        }
        let mut children = Vec::new();
        for child in self.list(Kind::FlinkDeployment, namespace).await? {
            children.push(read::<FlinkDeployment>(child)?);
        }
        let mut snapshots = Vec::with_capacity(objects.len());
        for object in objects {
            let resource: FlinkBlueGreenDeployment = read(object)?;
            let name = resource.metadata.name.as_deref().unwrap_or_default();
            let child = |color: Color| {
                let name = color.child_name(name);
                children
                    .iter()
                    .find(|child| {
                        child.metadata.namespace == resource.metadata.namespace
                            && child.metadata.name.as_deref() == Some(name.as_str())
                    })
                    .cloned()
            };
            snapshots.push(Snapshot {
                blue: child(Color::Blue),
                green: child(Color::Green),
                resource,
                ..Snapshot::default()
            });
        }
        Ok(snapshots)
    }
}

impl Changes<'_> {
    /// From here on a change counts. To be called before everything is looked at.
    pub(crate) async fn look(&mut self) -> Result<(), Failure> {
        match self {
            Self::Local(changes) => changes.look().await,
            Self::Cluster(changes) => changes.look(),
        }
    }

    /// Returns when something may have changed since the last look.
    pub(crate) async fn changed(&self) -> Result<(), Failure> {
        match self {
            Self::Local(changes) => changes.changed().await,
            Self::Cluster(changes) => changes.changed().await,
        }
    }

    /// What keeps changes from coming at the moment; it passes by itself.
    pub(crate) fn trouble(&self) -> Option<String> {
        match self {
            Self::Local(_) => None,
            Self::Cluster(changes) => changes.trouble(),
        }
    }
}

/// An object as its type. One with a specification that nobody can read has a name and a status all the same, and must not
/// hide the others of a list; what is wrong with it stands in its status.
pub(crate) fn read<T: DeserializeOwned>(mut object: Value) -> Result<T, Failure> {
    let error = match T::deserialize(&object) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or("?");
    let failure = Failure::refused(format!(
        "{} {} cannot be read: {error}.",
        text("/kind"),
        text("/metadata/name")
    ));
    match object.get_mut("spec") {
        Some(spec) => *spec = json!({}),
        None => return Err(failure),
    }
    T::deserialize(object).map_err(|_| failure)
}

/// Those that are not among `before`, or were told again since.
fn newer(events: Vec<EventRecord>, before: &[EventRecord]) -> Vec<EventRecord> {
    events
        .into_iter()
        .filter(|event| !before.contains(event))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_nobody_can_read_keeps_its_name_and_its_status() {
        let mut object = json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkBlueGreenDeployment",
            "metadata": { "name": "orders" },
            "spec": { "template": { "spec": { "job": { "parallelism": "two" } } } },
            "status": { "blueGreenState": "ACTIVE_BLUE" },
        });
        assert!(serde_json::from_value::<FlinkBlueGreenDeployment>(object.clone()).is_err());
        let resource: FlinkBlueGreenDeployment = read(object.clone()).unwrap();
        assert_eq!(resource.metadata.name.as_deref(), Some("orders"));
        assert!(resource.status.unwrap().blue_green_state.is_some());
        assert_eq!(resource.spec, sluice_api::FlinkBlueGreenDeploymentSpec::default());

        object["metadata"] = "none".into();
        let refused = read::<FlinkBlueGreenDeployment>(object).unwrap_err().to_string();
        assert!(
            refused.starts_with("FlinkBlueGreenDeployment ? cannot be read: "),
            "{refused}"
        );
    }
}
