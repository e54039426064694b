//! Scenarios of the blue/green controller as data, and what plays them against a real API server.
//!
//! An operator runs beside, whichever it is. Played here are the two parts that it depends on and that need no cluster of
//! machines: the controller of FlinkDeployments ([`actors`]), which writes the children's statuses as upstream's does, and
//! the JobManagers, one HTTP server that answers Flink's REST paths for every child. A third actor collects what a deleted
//! resource leaves, for a bare API server has no garbage collector.
//!
//! A scenario ([`scenario::Scenario`]) is a YAML file: what people do, what the children and their savepoints do, what has
//! to come of it. [`stage::Stage`] plays several at a time, each in a namespace of its own.

pub mod actors;
pub mod expectation;
mod kinds;
mod order;
mod play;
mod refusals;
pub mod report;
pub mod scenario;
pub mod scene;
mod services;
pub mod stage;
mod watches;

pub use report::Outcome;
pub use scenario::Scenario;
pub use stage::{Options, Stage};
