//! The Helm chart on a real API server: what it renders is taken, its policy keeps people from editing children, and the
//! permissions that it grants are those that the operator needs, no less and no more.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends with the first thing that is not as it should be"
)]

mod helm;
mod permissions;
mod policy;
mod release;
