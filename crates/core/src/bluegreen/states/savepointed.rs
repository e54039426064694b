//! The savepoint is there; upstream shows ACTIVE here for a moment. The incoming child comes next.

use super::super::record::{Step, Transition};
use super::super::retarget;
use super::super::view::{Verdict, View};

/// Goes on to create the incoming child. Edits, reverts among them, were looked at before (see `retarget`).
pub fn next(view: &View<'_>, transition: &Transition) -> Verdict {
    let restore = match &view.spec {
        Ok(valid) => retarget::restore(transition, valid),
        Err(_) => transition.restore.clone(),
    };
    let step = if transition.watermark.is_some() {
        Step::HandingOver { since: view.now }
    } else {
        view.creating()
    };
    let next = Transition {
        step,
        restore,
        ..transition.clone()
    };
    Verdict {
        record: view.record.with_transition(next),
        // That the child is created is told when it is.
        events: Vec::new(),
        blocked: None,
    }
}
