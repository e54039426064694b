//! The tests of the blue/green state machine: stories, tables, properties, and every crash point.
//!
//! One test program, because its parts share the simulated world in [`support`].
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

mod agent;
mod crashes;
mod diff;
mod faults;
mod mirror;
mod properties;
mod retention;
mod support;
mod totality;
mod transcripts;
mod upstream;
