//! A real etcd and a real kube-apiserver on this machine, for tests and development.
//!
//! # The control plane for tests
//!
//! Every test of the Kubernetes operator runs against a real API server of the version that `e2e/kube/go.mod` pins. The
//! programs are those in the directory that `KUBEBUILDER_ASSETS` names; else they are built once with Go and kept in the
//! user's cache. There is no controller-manager, no scheduler and no node: owner references are not collected, namespaces
//! never finish terminating, and a namespace has no service account `default`.
//!
//! * [`ControlPlane::shared`] is one for all tests of a user. It is started when it is down and goes on when the test ends.
//!   Each test makes [namespaces](ControlPlane::namespace) of its own in it, and leaves alone what is in no namespace.
//!   `SLUICE_CLUSTER_DIR` moves its state, and a control plane with another state is another one.
//! * [`ControlPlane::private`] is for tests that stop the API server. It takes seconds and 300 MB: have few of them.
//!
//! Requests are authorized by RBAC. The administrator may do everything; to test what a program may do, start it as a
//! [service account](ControlPlane::service_account_kubeconfig). What was asked is in the [audit log](ControlPlane::audit).
//!
//! ```no_run
//! # async fn test() -> anyhow::Result<()> {
//! use sluice_cluster::ControlPlane;
//!
//! let plane = ControlPlane::shared().await?;
//! plane.install_crds().await?;
//! let namespace = plane.namespace("story").await?;
//! let audit = plane.audit().await?;
//! // ... what the test is about, with `plane.client()` and `plane.kubeconfig()` ...
//! let requests = audit.requests().await?.in_namespace(&namespace);
//! assert_eq!(requests.writes().len(), 12, "{}", requests.counts());
//! # Ok(())
//! # }
//! ```
//!
//! By hand: `cargo xtask cluster up`, `status` and `down`. Logs are in the directory that `status` names.

mod audit;
mod binaries;
mod certificates;
mod crds;
mod instance;
mod kubeconfig;
mod places;
mod plane;
mod processes;
mod rights;

pub use audit::{Audit, AuditedRequest, Counts, Requests};
pub use binaries::Binaries;
pub use kubeconfig::client_config;
pub use places::STATE_DIRECTORY;
pub use plane::{ControlPlane, Status};
pub use processes::Process;
pub use rights::Grantee;
