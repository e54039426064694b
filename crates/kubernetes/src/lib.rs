//! The shell for Kubernetes: it observes, decides with `sluice_core`, records and carries out.
//!
//! There is no policy here. What is to be done with a resource is decided by `sluice_core::bluegreen`; a wish for an `if`
//! about the meaning of a resource is a wish for a rule over there.
//!
//! * [`run`] is the operator; `operator.rs` is the place to begin reading.
//! * `watches.rs` fills the cache and wakes; nothing is done on the strength of the cache alone.
//! * `look.rs` is one look at one resource; `observe.rs` says what it sees, `server.rs` how it asks the API server.

mod cache;
mod context;
mod deployments;
mod dispatch;
mod events;
mod http;
mod job_manager;
mod kind;
mod leader;
mod look;
mod metrics;
mod object;
mod observe;
mod operator;
mod options;
mod server;
mod watches;

pub use deployments::render::{Objects, render};
pub use job_manager::RestAddress;
pub use operator::{OperatorError, run};
pub use options::{FlinkDeployments, Lease, Namespaces, Options, Scope};
