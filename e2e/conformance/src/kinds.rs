//! The kinds of objects that the scenarios are about.

use anyhow::{Context, Result};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Error};
use serde_json::Value;

/// A kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `FlinkBlueGreenDeployment`.
    BlueGreen,
    /// `FlinkDeployment`.
    Flink,
    /// `Ingress`.
    Ingress,
    /// `Event`.
    Event,
    /// `Service`.
    Service,
    /// `EndpointSlice`.
    EndpointSlice,
    /// `Namespace`.
    Namespace,
    /// `ValidatingAdmissionPolicy`.
    Policy,
    /// `ValidatingAdmissionPolicyBinding`.
    PolicyBinding,
}

impl Kind {
    /// Group, version, kind and plural.
    const fn names(self) -> [&'static str; 4] {
        const ADMISSION: &str = "admissionregistration.k8s.io";
        match self {
            Self::BlueGreen => [
                "flink.apache.org",
                "v1beta1",
                "FlinkBlueGreenDeployment",
                "flinkbluegreendeployments",
            ],
            Self::Flink => [
                "flink.apache.org",
                "v1beta1",
                "FlinkDeployment",
                "flinkdeployments",
            ],
            Self::Ingress => ["networking.k8s.io", "v1", "Ingress", "ingresses"],
            Self::Event => ["", "v1", "Event", "events"],
            Self::Service => ["", "v1", "Service", "services"],
            Self::EndpointSlice => ["discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"],
            Self::Namespace => ["", "v1", "Namespace", "namespaces"],
            Self::Policy => [
                ADMISSION,
                "v1",
                "ValidatingAdmissionPolicy",
                "validatingadmissionpolicies",
            ],
            Self::PolicyBinding => [
                ADMISSION,
                "v1",
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
            ],
        }
    }

    /// How the kind is called in the client.
    pub(crate) fn resource(self) -> ApiResource {
        let [group, version, kind, plural] = self.names();
        let api_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version,
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }

    /// The objects of this kind in one namespace.
    pub(crate) fn within(self, client: &Client, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), namespace, &self.resource())
    }

    /// The objects of this kind everywhere.
    pub(crate) fn everywhere(self, client: &Client) -> Api<DynamicObject> {
        Api::all_with(client.clone(), &self.resource())
    }

    /// An object of this kind from the JSON of its other fields.
    pub(crate) fn object(self, mut fields: Value) -> Result<DynamicObject> {
        let [group, version, kind, _] = self.names();
        if let Value::Object(fields) = &mut fields {
            let api_version = if group.is_empty() {
                version.to_owned()
            } else {
                format!("{group}/{version}")
            };
            fields.insert("apiVersion".to_owned(), api_version.into());
            fields.insert("kind".to_owned(), kind.into());
        }
        serde_json::from_value(fields).with_context(|| format!("this is no {kind}"))
    }
}

/// Whether the API server says that there is no such object.
pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}

/// Whether the API server says that the object has changed meanwhile.
pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
}

/// The text at a JSON pointer; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
