//! Beside the real Flink Kubernetes Operator: upstream's 1.7.0 looks after the FlinkDeployments, Sluice after the
//! FlinkBlueGreenDeployments, on one API server.
//!
//! Both operators are real, and so are the statuses that one writes and the other reads. There is no node: the pods are
//! played ([`kubelet`]), and the JobManagers, which both operators ask ([`job_managers`]). Roles and the admission policy are
//! those of the chart, with nothing set for upstream's operator ([`release`]). Needs Java 17, Maven and Helm
//! (`cargo xtask chart` builds it).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

#[path = "../chart/helm.rs"]
#[expect(dead_code, reason = "shared with the tests of the chart, which use all of it")]
mod helm;
mod jars;
mod job_managers;
mod kinds;
mod kubelet;
mod operators;
mod release;
mod stage;
mod stories;
mod story;
