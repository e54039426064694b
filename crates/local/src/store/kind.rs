//! What an object is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of objects that the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A Flink job that is upgraded blue/green.
    FlinkBlueGreenDeployment,
    /// One Flink cluster with its job.
    FlinkDeployment,
    /// The Ingress that leads to the active child.
    Ingress,
}

/// A text that names no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a kind that Sluice knows; use FlinkBlueGreenDeployment (flinkbgdep), FlinkDeployment (flinkdep) or Ingress"
)]
pub struct UnknownKind(pub String);

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [
        Self::FlinkBlueGreenDeployment,
        Self::FlinkDeployment,
        Self::Ingress,
    ];

    /// As it stands in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment => "FlinkBlueGreenDeployment",
            Self::FlinkDeployment => "FlinkDeployment",
            Self::Ingress => "Ingress",
        }
    }

    /// The `apiVersion` that goes with it.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::FlinkBlueGreenDeployment | Self::FlinkDeployment => sluice_api::API_VERSION,
            Self::Ingress => "networking.k8s.io/v1",
        }
    }

    const fn other_names(self) -> [&'static str; 3] {
        match self {
            Self::FlinkBlueGreenDeployment => ["flinkbluegreendeployments", "flinkbgdep", "flinkbgdeps"],
            Self::FlinkDeployment => ["flinkdeployments", "flinkdep", "flinkdeps"],
            Self::Ingress => ["ingresses", "ing", "ing"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Reads the kind, its plural or its short name, in upper or lower case, as kubectl does.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| {
                kind.name().eq_ignore_ascii_case(text)
                    || kind
                        .other_names()
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// Kind, namespace and name: what an object is called. Its `uid` says which of the objects that ever had this name it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The namespace of an object whose manifest names none.
pub const DEFAULT_NAMESPACE: &str = "default";

impl ObjectKey {
    /// The object of this kind, namespace and name.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The object of the same namespace with another kind and name.
    #[must_use]
    pub fn beside(&self, kind: Kind, name: impl Into<String>) -> Self {
        Self::new(kind, self.namespace.clone(), name)
    }
}

impl fmt::Display for ObjectKey {
    /// `FlinkDeployment orders-blue`, with the namespace only where it is not the default one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace == DEFAULT_NAMESPACE {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
