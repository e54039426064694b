//! The life of one FlinkDeployment against a model launcher and a model Flink.

mod faults;
mod stories;
mod world;
