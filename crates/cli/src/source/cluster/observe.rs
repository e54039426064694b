//! What `plan` decides on.

use k8s_openapi::api::networking::v1::Ingress;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::Color;
use sluice_core::Fact;
use sluice_core::bluegreen::{CompletedCheckpoint, Observed, Side};
use sluice_local::store::Kind;

use super::Cluster;
use crate::failure::Failure;
use crate::source::read;

impl Cluster {
    /// The resource, its children and its Ingress, read afresh; `None`: there is no such resource. JobManagers are not asked:
    /// what a job has completed is not known here.
    pub(crate) async fn observed(&self, namespace: &str, name: &str) -> Result<Option<Observed>, Failure> {
        let Some(object) = self.get(Kind::FlinkBlueGreenDeployment, namespace, name).await? else {
            return Ok(None);
        };
        let unreadable = sluice_api::check_types(&object, sluice_api::Kind::FlinkBlueGreenDeployment);
        Ok(Some(Observed {
            unreadable,
            blue: self.side(namespace, &Color::Blue.child_name(name)).await,
            green: self.side(namespace, &Color::Green.child_name(name)).await,
            ingress: self.fact::<Ingress>(Kind::Ingress, namespace, name).await,
            ..Observed::alone(read(object)?)
        }))
    }

    async fn side(&self, namespace: &str, name: &str) -> Side {
        let child = self
            .fact::<FlinkDeployment>(Kind::FlinkDeployment, namespace, name)
            .await;
        let suspended = match &child {
            Fact::Present(child) => CompletedCheckpoint::suspended(child),
            Fact::Absent | Fact::Unknown(_) => None,
        };
        Side {
            checkpoint: suspended.map_or_else(
                || Fact::Unknown("the job was not asked".to_owned()),
                Fact::Present,
            ),
            child,
            cluster: Fact::Absent,
            still_since: None,
        }
    }

    async fn fact<T: DeserializeOwned>(&self, kind: Kind, namespace: &str, name: &str) -> Fact<T> {
        let read = |object: Value| match T::deserialize(object) {
            Ok(value) => Fact::Present(value),
            Err(error) => Fact::Unknown(format!("{kind} {name} cannot be read: {error}")),
        };
        match self.get(kind, namespace, name).await {
            Ok(object) => object.map_or(Fact::Absent, read),
            Err(failure) => Fact::Unknown(failure.to_string()),
        }
    }
}
