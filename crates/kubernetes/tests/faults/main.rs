//! Faults between the operator and the real API server: whatever goes wrong on the way, the end is the same.
//!
//! Each run has a namespace of its own, an operator of its own that watches it, and a proxy between the two and between
//! the operator and the JobManagers (`support/proxy.rs`). The actors of `e2e/conformance` play the rest. Most tests wait
//! more than they work: `--test-threads=8` is good on two cores.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]

mod answers;
mod bad_input;
mod crashes;
mod hands;
mod rival;
mod server;
mod support;
mod two;
mod watches;
