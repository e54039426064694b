//! One `FlinkBlueGreenDeployment`: the blue/green state machine.

pub mod decision;
pub mod observed;

pub use decision::{Decision, Effect, Waiting, WaitingFor};
pub use observed::{CompletedCheckpoint, Observed, SavepointObservation, SavepointProgress, Side};
