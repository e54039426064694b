//! FlinkDeployments looked after by this operator: `sluice_core::lifecycle` decides, native Kubernetes clusters carry out.
//!
//! * `render` is what a plan becomes: pure, and compared with what Flink's own client makes.
//! * `cluster.rs` is what the objects say of a cluster, and what is to be done about it that no decision is needed for.
//! * `recovery.rs` is what Flink's high availability knows of the last checkpoint.
//! * `rival.rs` tells whether another operator writes the status, too: then nothing is done.
//! * `look.rs` is one look; `observe.rs` says what it sees, `effects.rs` carries out.
//!
//! # How a cluster is launched once, and a JobManager started once
//!
//! The Deployment is created last; with it the cluster is launched, and it carries the deployment's number. A Deployment that
//! is not there, of a deployment that the record has not seen, has never run: without high availability its pod waits behind
//! a scheduling gate until the record says that the Deployment was seen. Then its uid is written on the Deployment, and only
//! then the gate is taken away. Every other pod that Kubernetes makes for this Deployment stays behind its gate.
//!
//! A container that is started again in the same pod finds the mark of its first start and ends at once. So a JobManager
//! without high availability runs its job once, and when it has ended, its pods are removed and the decider is told
//! (FLINK-41262). With high availability Flink itself recovers the job, and Kubernetes may start the JobManager as often as
//! it likes.
//!
//! A Job in the place of the Deployment would not do: Flink asks for the Deployment of its name, to own the TaskManagers'
//! pods by it, and Kubernetes does not promise to start the pod of a Job once only.

mod cluster;
mod effects;
mod look;
mod marks;
mod objects;
mod observe;
mod recovery;
pub(crate) mod render;
mod rival;

pub(crate) use look::look;
pub(crate) use objects::{JOB_MANAGERS, cluster_name, trim_cluster};
