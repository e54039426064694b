//! The operator's side of the handover, strategy WATERMARK, and the one write by which strategy SAVEPOINT makes a job the active one.
//!
//! [`decide`] is the whole of it: from the record as read, what is observed of both jobs, what the blue/green decider wants and the
//! time, it gives the record's next version, what is asked of the decider of children, what is awaited until when, and what the
//! records of both jobs add up to so far. It has no memory but the record.
//!
//! * A write is conditional on the version that was decided on. It goes first; what is requested follows from a record that was
//!   read, and never from one that is still to be written. So an operator that dies between two writes loses nothing.
//! * Before COMMIT everything can be given up, and is where a deadline passes. After it only forward: whatever the user wants
//!   then waits, and only a person may force SEALED.
//! * [`laws`] checks a decision; tests do, and a shell can before it acts.
//!
//! `bluegreen/watermark.rs` is its caller: it makes the view, and effects of what is asked for. The shells only carry those out.

pub mod decision;
mod ending;
mod guarantee;
pub mod laws;
pub mod observed;
mod readiness;
mod standby;
mod view;

use jiff::Timestamp;

pub use decision::{Awaited, Decision, Farewell, Lowered, Promise, Request, Stands, Strategy, Write};
pub use ending::farewell;
pub use guarantee::Guarantee;
pub use observed::{Committables, Goal, JobObserved, JobState, Observed, Origin, Role, Settings};

use crate::Fact;
use crate::handover::Phase;
use view::View;

/// Decides what the operator does about a handover now. Total: it never fails.
pub fn decide(observed: &Observed, settings: &Settings, now: Timestamp) -> Decision {
    let seen = match &observed.record {
        Fact::Present(seen) => seen,
        Fact::Unknown(why) => {
            return Decision::waits(observed, Stands::Unknown, Awaited::Record { why: why.clone() });
        }
        Fact::Absent => return standby::no_record(observed),
    };
    let view = View {
        observed,
        settings,
        now,
        seen,
        record: &seen.record,
    };
    // Another operator has gone on. It is left to it.
    if observed.goal.epoch() < view.record.epoch {
        let larger = view.record.epoch;
        return Decision::waits(observed, Stands::Unknown, Awaited::Superseded { larger });
    }
    if view.is_past_no_return() && view.record.incoming.is_none() {
        let why = format!("it says {} and names no incoming job", view.record.phase);
        return Decision::waits(observed, Stands::Unknown, Awaited::Record { why });
    }
    let decision = match view.record.phase {
        Phase::Stable => standby::stable(&view),
        Phase::Standby { .. } => standby::standby(&view),
        Phase::Prepare { cut: None, .. } => standby::prepare(&view),
        Phase::Prepare { cut: Some(cut), .. } => standby::commit(&view, cut),
        Phase::Commit { cut } => ending::commit(&view, cut),
        Phase::Sealed { cut } => ending::sealed(&view, cut),
        Phase::Abort => ending::abort(&view),
    };
    decision.looking_again(settings, now)
}
