//! The tests of the blue/green state machine: stories, tables, properties, and every crash point.
//!
//! One test program, because its parts share the simulated world in [`support`].

mod crashes;
mod faults;
mod properties;
mod support;
mod transcripts;
