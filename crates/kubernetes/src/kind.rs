//! What is watched, and how it is named.

use std::fmt;

use kube::core::{ApiResource, GroupVersionKind};
use sluice_api::{GROUP, VERSION};

/// The kinds of objects that the operator deals with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    FlinkBlueGreenDeployment,
    FlinkDeployment,
    Ingress,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [
        Self::FlinkBlueGreenDeployment,
        Self::FlinkDeployment,
        Self::Ingress,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "FlinkBlueGreenDeployment",
            Self::FlinkDeployment => "FlinkDeployment",
            Self::Ingress => "Ingress",
        }
    }

    pub(crate) fn resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Self::FlinkBlueGreenDeployment => (GROUP, VERSION, "flinkbluegreendeployments"),
            Self::FlinkDeployment => (GROUP, VERSION, "flinkdeployments"),
            Self::Ingress => ("networking.k8s.io", "v1", "ingresses"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, self.name()), plural)
    }
}

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Name {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Another object in the same namespace.
    pub(crate) fn beside(&self, name: impl Into<String>) -> Self {
        Self::new(self.namespace.clone(), name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
