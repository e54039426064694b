//! The life of one FlinkDeployment against a model launcher and a model Flink.
#![expect(
    clippy::unwrap_used,
    reason = "a test that finds nothing where something must be has failed"
)]

mod adopting;
mod faults;
mod flink;
mod laws;
mod losing;
mod settling;
mod stopping;
mod stories;
mod world;
