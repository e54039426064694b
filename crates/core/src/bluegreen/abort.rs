//! How a transition is aborted: the active side is left as it is, and people are told why.

use sluice_api::blue_green::{AbortReason, Color, TransitionCause, TransitionMode};

use super::record::{State, Step, Transition};
use super::states::switching;
use super::view::{Verdict, View};
use super::{child, failed};
use crate::Event;

/// Aborts a transition that has not passed its point of no return.
pub fn abort(view: &View<'_>, transition: &Transition, reason: AbortReason, message: String) -> Verdict {
    let told = match transition.from {
        Some(from) => format!(
            "the transition to {} is aborted, {from} stays active: {message}",
            transition.to
        ),
        None => format!("{} did not come up: {message}", transition.to),
    };
    let event = if matches!(reason, AbortReason::Reverted | AbortReason::Superseded) {
        Event::normal("TransitionEnded", told)
    } else {
        Event::warning("TransitionAborted", told)
    };
    let outgoing_goes_on = transition.watermark.is_some()
        || (transition.holds_incoming() && !matches!(transition.step, Step::Stopping { .. }));
    if transition.mode == TransitionMode::Advanced && transition.from.is_some() && !outgoing_goes_on {
        // The outgoing job is stopped, or being stopped: it has to be brought back.
        let step = returning(view, reason, message);
        return Verdict::next(view.record.at_step(transition, step), event);
    }
    let state = match (transition.from, &view.record.reconciled) {
        (Some(from), _) => State::Active(from),
        (None, Some(_)) => State::Active(transition.to),
        (None, None) => State::Initializing,
    };
    let mut record = view.record.with_state(state);
    let recreated = transition.cause == TransitionCause::ActiveChildGone;
    if !recreated {
        record.failed = failed::by_abort(view, transition, reason, &message);
        record.kept = failed::left_behind(view, transition, reason).or(record.kept);
    }
    let outcome = failed::outcome(reason);
    record.remember(switching::ended(view, transition, outcome, Some(message)));
    Verdict::next(record, event)
}

/// The step in which the outgoing version is brought back.
pub fn returning(view: &View<'_>, reason: AbortReason, message: String) -> Step {
    Step::Returning {
        since: view.now,
        deadline: view.grace_deadline(),
        reason,
        message,
    }
}

/// Says that an object of the child's name belongs to someone else (scenario 28, R8).
pub fn name_conflict(view: &View<'_>, color: Color) -> String {
    let name = color.child_name(child::name(view.resource()));
    format!(
        "a FlinkDeployment {name} exists that does not belong to this resource; it is not touched: delete it or rename it"
    )
}
