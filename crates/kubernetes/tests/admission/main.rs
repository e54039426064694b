//! What the API server refuses by itself, and what it lets through: our definitions, and upstream's, on a real one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod bad_input;
#[path = "../../../api/tests/examples/mod.rs"]
mod examples;
mod generator;
mod outcomes;
mod quantities;
mod ratcheting;
mod sentences;
mod server;
mod status;
mod table;
mod upstream;
