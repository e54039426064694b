//! The savepoint is there; upstream shows ACTIVE here for a moment. The incoming child comes next.

use super::super::record::Transition;
use super::super::retarget;
use super::super::view::{Verdict, View};
use crate::Event;

/// Goes on to create the incoming child. Edits, reverts among them, were looked at before (see `retarget`).
pub fn next(view: &View<'_>, transition: &Transition) -> Verdict {
    let message = format!("{} is created", transition.to);
    let restore = match &view.spec {
        Ok(valid) => retarget::restore(transition, valid),
        Err(_) => transition.restore.clone(),
    };
    let next = Transition {
        step: view.creating(),
        restore,
        ..transition.clone()
    };
    Verdict::next(
        view.record.with_transition(next),
        Event::normal("ChildCreating", message),
    )
}
