//! The state machine as people see it: where a resource can be, and where it can go from there.
//!
//! The rules stand in `states/*.rs`; this is the map of them, from which the documentation's diagrams are made. Every
//! decision in every test is checked against it, and every way of it is taken in at least one test.

use super::record::{Record, State};
use super::status::step_name;

/// A way from one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it begins: `Initializing`, `Active`, or the step of the transition under way.
    pub from: &'static str,
    /// Where it leads.
    pub to: &'static str,
    /// When it is taken.
    pub when: &'static str,
}

const fn way(from: &'static str, to: &'static str, when: &'static str) -> Way {
    Way { from, to, when }
}

/// Every way. Who stays where they are is not on the map.
pub const WAYS: &[Way] = &[
    way(
        "Initializing",
        "Creating",
        "the first deployment, or the next try at it",
    ),
    way(
        "Active",
        "Savepointing",
        "an edit; upgradeMode savepoint or last-state (BASIC), or strategy WATERMARK (ADVANCED)",
    ),
    way("Active", "Stopping", "an edit (ADVANCED)"),
    way(
        "Creating",
        "Warming",
        "the child is created, its job waits (ADVANCED with the agent)",
    ),
    way(
        "Warming",
        "Stopping",
        "its cluster is up: the outgoing job is stopped for it",
    ),
    way(
        "Warming",
        "Active",
        "its cluster is not up by its deadline, abort, or the edit was reverted",
    ),
    way("Warming", "Creating", "an edit: the child is made anew"),
    way(
        "Stopping",
        "Deploying",
        "the outgoing job is stopped, and the child that waits may begin",
    ),
    way(
        "Active",
        "Creating",
        "an edit with upgradeMode stateless or a new savepointRedeployNonce (BASIC); an edit while the active job is \
         unhealthy; the active child is gone; an edit (ADVANCED with the agent)",
    ),
    way(
        "Active",
        "InPlace",
        "suspend, resume, or only fields that are patched",
    ),
    way("Savepointing", "Savepointed", "the savepoint is complete"),
    way(
        "Savepointing",
        "Active",
        "the savepoint failed three times or is late; the active child is gone; abort",
    ),
    way("Savepointed", "Creating", "at once"),
    way(
        "Savepointed",
        "HandingOver",
        "at once (ADVANCED, strategy WATERMARK)",
    ),
    way(
        "HandingOver",
        "Sealing",
        "the incoming job is ready and the cut is committed: the point of no return",
    ),
    way(
        "HandingOver",
        "Active",
        "not ready by its deadline, aborted, the edit was reverted or changed, or the outgoing job went back behind the savepoint",
    ),
    way(
        "HandingOver",
        "Creating",
        "no input moves: the outgoing job is stopped instead, once the new child is up",
    ),
    way(
        "Sealing",
        "Switching",
        "the outgoing job has written and committed everything below the cut, the incoming one has passed it",
    ),
    way(
        "Savepointed",
        "Active",
        "the edit was reverted; the savepoint is kept",
    ),
    way("Stopping", "Creating", "the outgoing job is stopped"),
    way(
        "Stopping",
        "Returning",
        "it does not stop in time, abort, or the edit was reverted",
    ),
    way(
        "Creating",
        "Deploying",
        "the child is created; its grace period begins",
    ),
    way(
        "Creating",
        "Active",
        "it cannot be created, abort, or an edit that needs a transition of its own (BASIC, or ADVANCED with the agent)",
    ),
    way(
        "Creating",
        "Initializing",
        "it cannot be created; abort of a first deployment",
    ),
    way(
        "Creating",
        "Stopping",
        "the child cannot be told to wait any more (ADVANCED)",
    ),
    way("Creating", "Returning", "it cannot be created; abort (ADVANCED)"),
    way(
        "Deploying",
        "Switching",
        "it is RUNNING and STABLE: the point of no return",
    ),
    way(
        "Deploying",
        "AwaitingPromotion",
        "it is RUNNING and STABLE; promotion MANUAL",
    ),
    way(
        "Deploying",
        "Creating",
        "an edit: the child is made anew from the same savepoint",
    ),
    way(
        "Deploying",
        "Active",
        "not ready by its deadline, aborted, or the edit was reverted (BASIC)",
    ),
    way(
        "Deploying",
        "Initializing",
        "not ready by its deadline: abort of a first deployment",
    ),
    way(
        "Deploying",
        "Returning",
        "not ready by its deadline, aborted, or the edit was reverted (ADVANCED)",
    ),
    way("AwaitingPromotion", "Switching", "promoted"),
    way("AwaitingPromotion", "Creating", "an edit"),
    way("AwaitingPromotion", "Active", "aborted, or the edit was reverted"),
    way(
        "Switching",
        "Active",
        "the Ingress leads to the new child, the deletion delay is over, the old child is gone or going",
    ),
    way(
        "InPlace",
        "Active",
        "it runs as changed; or the change was taken back",
    ),
    way(
        "InPlace",
        "Savepointing",
        "edited once more: what holds is the last edit",
    ),
    way("InPlace", "Stopping", "the same (ADVANCED)"),
    way(
        "InPlace",
        "Creating",
        "the same, with an edit that needs no savepoint",
    ),
    way("Returning", "Active", "the outgoing version is back"),
];

/// Where a resource is.
pub fn place(record: &Record) -> &'static str {
    match &record.state {
        State::Initializing => "Initializing",
        State::Active(_) => "Active",
        State::InTransition(transition) => step_name(&transition.step),
    }
}

/// Whether the map has this way.
pub fn leads(from: &str, to: &str) -> bool {
    from == to || WAYS.iter().any(|way| way.from == from && way.to == to)
}
