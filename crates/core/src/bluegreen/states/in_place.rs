//! TRANSITIONING to the colour that is active already: the active child is changed in place.
//!
//! Whatever comes of it, the colour stays active and its state is kept (R1, scenario 44).

use jiff::Timestamp;
use sluice_api::JobState;
use sluice_api::blue_green::{AbortReason, Outcome, TransitionCause};

use super::super::diff::{self, DiffKind};
use super::super::record::{State, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{child, effects, failed};
use super::{active, switching};
use crate::{Event, fields};

/// Ends when the child runs (or is suspended) as changed, or when it did not within the grace period.
pub fn next(view: &View<'_>, transition: &Transition, deadline: Timestamp) -> Verdict {
    let color = transition.to;
    let wanted = &transition.spec;
    if let (Ok(valid), Some(reconciled), Some(present)) =
        (&view.spec, &view.record.reconciled, view.present(color))
        && diff::compare(wanted, &valid.spec).kind != DiffKind::Ignore
    {
        // Edited once more: what holds is the last edit, looked at as if nothing had been under way.
        let record = view.record.with_state(State::Active(color));
        let again = View::new(view.observed, view.now, record);
        return active::edit(&again, color, present, reconciled, valid);
    }
    match view.mine(color) {
        Mine::Present(present)
            if effects::stands(view, color, present, wanted) && is_done(wanted, present) =>
        {
            let mut record = view.record.with_state(State::Active(color));
            record.reconciled = Some(wanted.clone());
            record.failed = None;
            record.remember(switching::ended(view, transition, Outcome::Completed, None));
            let message = match transition.cause {
                TransitionCause::Suspend => format!("{color} is suspended"),
                TransitionCause::Resume => format!("{color} runs again"),
                TransitionCause::PatchChild
                | TransitionCause::FirstDeployment
                | TransitionCause::SpecChanged
                | TransitionCause::SavepointRedeploy
                | TransitionCause::ActiveChildGone
                | TransitionCause::TakenOver => format!("{color} runs as changed"),
            };
            Verdict::next(record, Event::normal("ChildChangeCompleted", message))
        }
        // Gone: created again by the state that it goes back to, from the state that is known.
        Mine::Absent => {
            let message = format!("{color} was deleted while it was changed in place");
            failed_in_place(view, transition, message)
        }
        Mine::Present(present) if view.now >= deadline => {
            let message = format!(
                "{color} did not run as changed by {deadline:.0}: {}",
                child::describe(present)
            );
            failed_in_place(view, transition, message)
        }
        Mine::Present(_) | Mine::Unknown(_) | Mine::Terminating | Mine::Foreign => Verdict::stay(view),
    }
}

fn is_done(wanted: &sluice_api::FlinkBlueGreenDeploymentSpec, present: &sluice_api::FlinkDeployment) -> bool {
    let wanted = diff::child_spec(wanted);
    if fields::job_state(&wanted) != fields::job_state(&present.spec) {
        return false;
    }
    match fields::job_state(&wanted) {
        JobState::Suspended => child::is_suspended(present),
        JobState::Running => child::is_ready(present),
    }
}

/// The colour stays active; the specification that it was changed to is set aside.
fn failed_in_place(view: &View<'_>, transition: &Transition, message: String) -> Verdict {
    let color = transition.to;
    let mut record = view.record.with_state(State::Active(color));
    record.failed = Some(failed::set_aside(
        view,
        transition,
        AbortReason::NotReady,
        message.clone(),
    ));
    record.remember(switching::ended(
        view,
        transition,
        Outcome::Aborted,
        Some(message.clone()),
    ));
    Verdict::next(record, Event::warning("ChildChangeFailed", message))
}
