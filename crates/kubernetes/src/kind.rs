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
    /// Of a JobManager.
    Deployment,
    /// Of a JobManager or a TaskManager.
    Pod,
    Service,
    ConfigMap,
}

impl Kind {
    /// What is watched in any case.
    pub(crate) const ALWAYS: [Self; 3] = [
        Self::FlinkBlueGreenDeployment,
        Self::FlinkDeployment,
        Self::Ingress,
    ];
    /// What is watched, too, where FlinkDeployments are looked after.
    pub(crate) const OF_CLUSTERS: [Self; 2] = [Self::Deployment, Self::Pod];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "FlinkBlueGreenDeployment",
            Self::FlinkDeployment => "FlinkDeployment",
            Self::Ingress => "Ingress",
            Self::Deployment => "Deployment",
            Self::Pod => "Pod",
            Self::Service => "Service",
            Self::ConfigMap => "ConfigMap",
        }
    }

    /// Its status, as a subresource.
    pub(crate) const fn status(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "FlinkBlueGreenDeployment/status",
            Self::FlinkDeployment => "FlinkDeployment/status",
            Self::Ingress => "Ingress/status",
            Self::Deployment => "Deployment/status",
            Self::Pod => "Pod/status",
            Self::Service => "Service/status",
            Self::ConfigMap => "ConfigMap/status",
        }
    }

    pub(crate) fn resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Self::FlinkBlueGreenDeployment => (GROUP, VERSION, "flinkbluegreendeployments"),
            Self::FlinkDeployment => (GROUP, VERSION, "flinkdeployments"),
            Self::Ingress => ("networking.k8s.io", "v1", "ingresses"),
            Self::Deployment => ("apps", "v1", "deployments"),
            Self::Pod => ("", "v1", "pods"),
            Self::Service => ("", "v1", "services"),
            Self::ConfigMap => ("", "v1", "configmaps"),
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
