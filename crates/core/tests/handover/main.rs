//! The handover protocol: the vectors that Java's tests play as well, the record's wire form, and what holds always.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as the tests do"
)]

mod fork;
mod operator;
mod record;
mod vectors;
