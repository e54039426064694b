//! The command on a cluster: the real program against a real API server, with resources whose statuses are written by hand.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once, also in its helpers"
)]

mod failures;
mod following;
mod permissions;
mod planning;
mod stage;
mod steering;
mod views;
mod whom;
