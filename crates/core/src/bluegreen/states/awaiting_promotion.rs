//! TRANSITIONING, the incoming child is ready and a person has to promote it (`promotion: MANUAL`).

use super::super::record::Transition;
use super::super::view::{Mine, Verdict, View};
use crate::Event;

/// The promotion itself is a command (see `commands`). Here is what else can happen while it is awaited.
pub fn next(view: &View<'_>, transition: &Transition) -> Verdict {
    match view.mine(transition.to) {
        // Deleted by someone: it is created once more.
        Mine::Absent => {
            let message = format!(
                "{} was deleted before its promotion; it is created again",
                transition.to
            );
            Verdict::next(
                view.record.at_step(transition, view.creating()),
                Event::warning("ChildGone", message),
            )
        }
        Mine::Present(_) | Mine::Terminating | Mine::Unknown(_) | Mine::Foreign => Verdict::stay(view),
    }
}
