//! A model of the record-level handover over the functions that ship (`sluice_core::handover`), small enough that all of its
//! states are searched. It never ships itself.
//!
//! The gates, both coordinators, the operator and the record are the real ones; what is modelled here is the world around them: Flink's
//! checkpoints, restores and sinks, the store that holds the record, messages that take their time, JobManagers and tasks
//! that die. The operator's decisions are the real ones, too.
//!
//! * [`world`]: the state.
//! * [`course`]: what can happen next.
//! * [`steps`]: what it leads to.
//! * [`operator`]: what the operator sees of it, and how its decisions are carried out.
//! * [`haste`]: what takes no time, and what is forgotten.
//! * [`laws`]: what must hold in every state, I1 to I11, and that every run comes to its end.
//! * [`mutant`]: one thing done wrong at a time. The search has to notice each, or it says nothing.
//!
//! Not modelled: a handover back, a shuffle between source and gate, other parallelism, two JobManagers of one job that both
//! go on, barriers that reach the subtasks at different times, limits on kept records, end of input, an outgoing job that stays as
//! a standby, a job that is assumed to be deterministic, the strategy SAVEPOINT.

pub mod course;
pub mod haste;
pub mod laws;
pub mod mutant;
pub mod operator;
pub mod steps;
pub mod world;
