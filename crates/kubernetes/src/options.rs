//! How the operator is set up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::job_manager::RestAddress;

/// How the operator is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which resources it looks after.
    pub scope: Scope,
    /// Who looks after the FlinkDeployments.
    pub flink_deployments: FlinkDeployments,
    /// Where a JobManager answers.
    pub rest_address: RestAddress,
    /// Seconds after which the server ends a watch and it is opened anew; a dead connection is noticed 5 s later than this.
    pub watch_seconds: u32,
    /// Operator-wide defaults of the keys of `spec.configuration`.
    pub defaults: BTreeMap<String, String>,
    /// How many resources are looked at at the same time.
    pub concurrency: usize,
    /// Where health and metrics are served.
    pub listen: SocketAddr,
    /// How the one that acts is elected; `None`: this process acts at once.
    pub lease: Option<Lease>,
    /// This process, as it stands in events and in the lease: the pod's name.
    pub instance: String,
    /// The kubeconfig file; `None`: the pod's service account, or the user's own file.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; `None`: its current one.
    pub context: Option<String>,
}

/// Which resources an operator looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// In which namespaces.
    pub namespaces: Namespaces,
    /// With which labels, as a Kubernetes label selector; children have their parent's labels, so it finds them, too.
    pub label_selector: Option<String>,
}

/// In which namespaces an operator looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Namespaces {
    /// In all.
    #[default]
    All,
    /// In these.
    Named(Vec<String>),
    /// In those that have these labels, as a Kubernetes label selector.
    Selected(String),
}

/// Who looks after the FlinkDeployments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlinkDeployments {
    /// Another operator that runs beside, such as upstream's.
    #[default]
    External,
    /// This operator: it launches Flink's clusters itself.
    Managed,
}

/// The lease by which the process that acts is elected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}
