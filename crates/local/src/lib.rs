//! Flink on this machine, without Kubernetes: an on-disk store, real processes, one runner.

pub mod distribution;
pub mod launcher;
pub mod client;
pub mod store;
