//! TRANSITIONING: the incoming child exists and has to become ready in time.

use jiff::Timestamp;
use sluice_api::blue_green::{AbortReason, TransitionMode};
use sluice_api::settings::Promotion;

use super::super::record::{Step, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child, incoming};
use super::switching;
use crate::Event;

/// Looks at the child before the clock, and aborts only after it was seen not ready (scenario 51).
pub fn next(view: &View<'_>, transition: &Transition, deadline: Timestamp) -> Verdict {
    let to = transition.to;
    let late = view.now >= deadline;
    match view.mine(to) {
        Mine::Present(incoming)
            if child::transition(incoming) == transition.number && child::is_ready(incoming) =>
        {
            ready(view, transition)
        }
        Mine::Present(incoming) if late => {
            let message = format!(
                "{to} was not ready by {deadline:.0}: {}",
                child::describe(incoming)
            );
            abort::abort(view, transition, AbortReason::NotReady, message)
        }
        Mine::Absent if late => {
            let message = format!("{to} was deleted by someone and not ready by {deadline:.0}");
            abort::abort(view, transition, AbortReason::NotReady, message)
        }
        Mine::Absent => incoming::gone(view, transition, Some(deadline)),
        Mine::Foreign => abort::abort(
            view,
            transition,
            AbortReason::NotCreated,
            abort::name_conflict(view, to),
        ),
        Mine::Present(_) | Mine::Terminating | Mine::Unknown(_) => Verdict::stay(view),
    }
}

fn ready(view: &View<'_>, transition: &Transition) -> Verdict {
    // In ADVANCED mode the outgoing job is stopped and the incoming one writes: there is nothing to hold back any more.
    let manual = view.settings.promotion == Promotion::Manual
        && transition.from.is_some()
        && transition.mode == TransitionMode::Basic;
    if manual {
        let step = Step::AwaitingPromotion { since: view.now };
        let message = format!("{} is ready and waits for its promotion", transition.to);
        return Verdict::next(
            view.record.at_step(transition, step),
            Event::normal("AwaitingPromotion", message),
        );
    }
    switching::begin(view, transition, view.now)
}
