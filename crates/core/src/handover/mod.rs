//! The protocol of the record-level handover (strategy WATERMARK), as values and pure functions.
//!
//! Two copies of a job hand over at a cut W in event time: below it the outgoing job emits, from it on the incoming one.
//!
//! ```text
//! operator <-> handover record <-> coordinator in the outgoing JobManager <-> its gate subtasks
//!                    ^
//!                    +----------- coordinator in the incoming JobManager <-> its gate subtasks
//! ```
//!
//! * [`judge()`]: what a gate does with one record. The whole rule.
//! * [`Gate`]: one subtask: what it keeps, and what it answers.
//! * [`Coordinator`]: one job's coordinator. What an outgoing and an incoming one write is in `outgoing.rs` and `incoming.rs`.
//! * [`HandoverRecord`]: what the three parties know together; [`codec`] is its wire form.
//! * [`operator::decide`]: what the operator writes, and what it waits for.
//! * [`Phase`] and [`Fork`]: which phase may follow, and what restarts mean for the fork.
//!
//! Sluice runs the operator's side. The gate and the coordinators run in Flink, in Java; the two are kept alike by the test
//! vectors in `contract/`, and the model in `crates/verify` checks these functions.

pub mod codec;
mod coordinator;
mod fork;
mod gate;
mod incoming;
mod judge;
mod numbers;
pub mod operator;
mod outgoing;
mod phase;
mod reason;
mod record;
mod report;
mod situation;

pub use coordinator::{CoordinatorAction, CoordinatorMessage};
pub use fork::{Fork, Lineage};
pub use gate::{AtBarrier, Gate, GateAction, GateMessage, GateState, Kept, Orders};
pub use judge::{LateRecords, Ordering, Rules, Told, Verdict, judge};
pub use numbers::{
    Attempt, CheckpointId, Cut, Epoch, EventTime, Incarnation, Subtask, SubtaskIndex, Version, Watermark,
};
pub use phase::Phase;
pub use reason::AbortReason;
pub use record::{Change, HandoverRecord, Job};
pub use report::{Figures, GateReport, GatesReport, Passed, Report, Restore};
pub use situation::{Answer, Coordinator, Finished, Seen, Standing, SubtaskReport, SubtaskSituation};
