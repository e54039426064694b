//! The tests of the blue/green state machine: stories, tables, properties, and every crash point.
//!
//! One test program, because its parts share the simulated world in [`support`].

mod crashes;
mod diff;
mod faults;
mod mirror;
mod properties;
mod support;
mod totality;
mod transcripts;
