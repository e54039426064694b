//! Every decision Sluice takes, as pure functions of what was observed.
//!
//! There is no I/O here, no async, no clock, no randomness and no global state: `now` is an argument, names and ids are
//! derived. The shells (`sluice-local`, later the Kubernetes operator) observe, carry out and record; they hold no policy.
//!
//! * [`bluegreen::decide`]: one `FlinkBlueGreenDeployment`.
//! * [`lifecycle`]: one `FlinkDeployment`.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    // A new state or step has to be thought of at every place.
    clippy::wildcard_enum_match_arm
)]

pub mod bluegreen;
pub mod event;
pub mod fact;
pub mod fields;
pub mod handover;
pub mod identity;
pub mod lifecycle;
mod upstream;
pub mod wake;

pub use event::{Event, EventKind};
pub use fact::Fact;
pub use sluice_api::blue_green::Color;
pub use wake::Wake;
