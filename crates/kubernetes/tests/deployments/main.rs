//! FlinkDeployments that Sluice looks after itself, on a real API server.

mod flink;
mod life;
mod node;
mod objects;
mod operator;
