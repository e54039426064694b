//! The runner of this machine.

use serde_json::Value;
use sluice_core::bluegreen::Observed;
use sluice_local::client::{Client, ClientError, EventFilter, EventRecord};
use sluice_local::store::{Kind, ObjectKey};

use crate::failure::Failure;
use crate::runner::{failed, optional};

/// The runner of this machine, and the namespace to look in.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// Asks it.
    pub(crate) client: Client,
    /// The namespace to look in.
    pub(crate) namespace: String,
}

/// There is no such object.
pub(super) fn missing(kind: Kind, namespace: &str, name: &str) -> Failure {
    failed(ClientError::NotFound(ObjectKey::new(kind, namespace, name)))
}

impl Local {
    pub(super) async fn get(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        optional(&self.client, kind, namespace, name).await
    }

    pub(super) async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Failure> {
        self.client.list(kind, namespace).await.map_err(failed)
    }

    pub(super) async fn annotate(&self, name: &str, key: &str, value: &str) -> Result<(), Failure> {
        self.client
            .annotate(
                Kind::FlinkBlueGreenDeployment,
                &self.namespace,
                name,
                key,
                Some(value),
            )
            .await
            .map_err(failed)?;
        Ok(())
    }

    pub(super) async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>, Failure> {
        self.client.events(filter).await.map_err(failed)
    }

    pub(super) async fn observed(&self, namespace: &str, name: &str) -> Result<Option<Observed>, Failure> {
        match self.client.observed(namespace, name).await {
            Ok(observed) => Ok(Some(observed)),
            Err(ClientError::NotFound(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The active endpoint of a resource, the JobManager's address of a FlinkDeployment.
    pub(super) async fn endpoint(&self, kind: Kind, object: &Value) -> Result<Option<String>, Failure> {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let info = self.client.info().await.map_err(failed)?;
        Ok(match kind {
            Kind::FlinkBlueGreenDeployment => {
                let mut endpoints = info.endpoints.into_iter();
                endpoints
                    .find(|it| it.namespace == namespace && it.name == name)
                    .map(|it| match it.problem {
                        Some(problem) => format!("{} ({problem})", it.address),
                        None => it.address,
                    })
            }
            Kind::FlinkDeployment => {
                let mut deployments = info.deployments.into_iter();
                let found = deployments.find(|it| it.namespace == namespace && it.name == name);
                found.map(|it| it.rest)
            }
            Kind::Ingress => None,
        })
    }

    pub(super) const fn changes(&self) -> Changes<'_> {
        Changes {
            client: &self.client,
            version: 0,
        }
    }
}

/// Changes of anything that the runner keeps.
pub(crate) struct Changes<'a> {
    client: &'a Client,
    /// The store's version at the last look.
    version: u64,
}

impl Changes<'_> {
    pub(super) async fn look(&mut self) -> Result<(), Failure> {
        self.version = self.client.info().await.map_err(failed)?.store_version;
        Ok(())
    }

    pub(super) async fn changed(&self) -> Result<(), Failure> {
        self.client.watch(self.version).await.map_err(failed)?;
        Ok(())
    }
}
