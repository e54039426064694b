//! Beside the real Flink Kubernetes Operator: upstream's 1.7.0 looks after the FlinkDeployments, Sluice after the
//! FlinkBlueGreenDeployments, on one API server.
//!
//! Both operators are real, and so are the statuses that one writes and the other reads. There is no node: the pods are
//! played ([`kubelet`]), and the JobManagers, which both operators ask ([`job_managers`]). Needs Java 17 and Maven.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod jars;
mod job_managers;
mod kinds;
mod kubelet;
mod operators;
mod stage;
mod stories;
mod story;
