//! FlinkDeployments that Sluice looks after itself, on a real API server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod flink;
mod life;
mod node;
mod objects;
mod operator;
mod rival;
