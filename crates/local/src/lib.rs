//! Flink on this machine, without Kubernetes: an on-disk store, real processes, one runner.

pub mod client;
pub mod distribution;
mod endpoint;
pub mod handover;
pub mod launcher;
pub mod runner;
mod server;
pub mod store;
