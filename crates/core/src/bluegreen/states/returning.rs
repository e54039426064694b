//! RETURNING (ADVANCED, strategy SAVEPOINT): the incoming child is stopped, then the outgoing version comes back.
//!
//! The outgoing job is stopped already, so going back means starting it again, and from the newest state: if the incoming
//! job completed a checkpoint, its sinks committed output up to it, and only what follows may be written again.

use jiff::Timestamp;
use sluice_api::blue_green::{AbortReason, Color, Outcome, TransitionCause};
use sluice_api::{FlinkDeployment, JobState};

use super::super::record::{State, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{child, failed, incoming};
use super::switching;
use crate::{Event, Fact, fields};

/// What the outgoing version resumes from.
pub enum Resume {
    /// The incoming job has not been stopped yet, or it is not known whether it has.
    NotYet,
    /// The outgoing child's own savepoint, where it was stopped.
    OwnSavepoint,
    /// How far the incoming job came.
    Checkpoint(String),
}

/// What the outgoing version resumes from, once the incoming job is known to be stopped.
pub fn resume(view: &View<'_>, transition: &Transition) -> Resume {
    // A redeployment began another line of state, which is not the outgoing version's.
    let own_line = transition.cause != TransitionCause::SavepointRedeploy;
    let reached = |path: Option<&str>| match path {
        Some(path) if own_line && Some(path) != transition.savepoint.as_deref() => {
            Resume::Checkpoint(path.to_owned())
        }
        Some(_) | None => Resume::OwnSavepoint,
    };
    match view.mine(transition.to) {
        Mine::Present(incoming) if child::is_suspended(incoming) => {
            reached(child::upgrade_savepoint(incoming))
        }
        // Where there never was an incoming job, a checkpoint of that colour is some earlier transition's.
        Mine::Absent if transition.incoming_created_at.is_none() => Resume::OwnSavepoint,
        // Deleted by someone: its last completed checkpoint is still known, or it never had one.
        Mine::Absent => match incoming::own_checkpoint(view, transition) {
            Fact::Present(checkpoint) => reached(Some(&checkpoint.path)),
            Fact::Absent | Fact::Unknown(_) => reached(transition.restore.as_deref()),
        },
        Mine::Foreign => reached(transition.restore.as_deref()),
        Mine::Present(_) | Mine::Terminating | Mine::Unknown(_) => Resume::NotYet,
    }
}

/// Ends when the outgoing version runs again.
pub fn next(
    view: &View<'_>,
    transition: &Transition,
    reason: AbortReason,
    message: &str,
    deadline: Timestamp,
) -> Verdict {
    let Some(from) = transition.from else {
        return Verdict::stay(view);
    };
    // It could not be learnt how far the incoming job was: going back may write records again, and the history says so.
    if transition.lowered.is_none()
        && matches!(view.mine(transition.to), Mine::Absent)
        && let (Some(_), Fact::Unknown(why)) = (
            transition.incoming_created_at,
            &view.side(transition.to).checkpoint,
        )
    {
        let lowered = format!(
            "{} was deleted and its last checkpoint could not be learnt ({why}): records may come twice",
            transition.to
        );
        let record = view.record.with_transition(Transition {
            lowered: Some(lowered.clone()),
            ..transition.clone()
        });
        return Verdict::next(record, Event::warning("GuaranteeLowered", lowered));
    }
    match view.mine(from) {
        Mine::Present(outgoing) if child::is_ready(outgoing) => {
            let told = Event::normal("OutgoingReturned", format!("{from} is active again"));
            returned(view, transition, from, reason, message, told)
        }
        // It was started again and does not run, so waiting helps no more: it is the active one, unhealthy, and an edit can
        // bring a fix.
        Mine::Present(outgoing) if view.now >= deadline && was_started_again(view, transition, outgoing) => {
            let told = format!(
                "{from} was started again and does not run: {}",
                child::describe(outgoing)
            );
            let told = Event::warning("OutgoingUnhealthy", told);
            returned(view, transition, from, reason, message, told)
        }
        // Never two that write: it cannot be started before the incoming job has stopped. The clock is renewed so that
        // people hear of it again.
        Mine::Present(_) if view.now >= deadline => {
            let told = format!(
                "{from} cannot come back before {} has stopped{}",
                transition.to,
                view.present(transition.to).map_or_else(String::new, |incoming| {
                    format!(": {}", child::describe(incoming))
                })
            );
            let step = super::super::abort::returning(view, reason, message.to_owned());
            Verdict::next(
                view.record.at_step(transition, step),
                Event::warning("StillReturning", told),
            )
        }
        // Gone: created again in the ACTIVE state, from the state that is known.
        Mine::Absent => {
            let mut record = view.record.with_state(State::Active(from));
            record.failed = Some(failed::set_aside(view, transition, reason, message.to_owned()));
            record.kept = failed::left_behind(view, transition, reason);
            record.remember(switching::ended(
                view,
                transition,
                Outcome::Aborted,
                Some(message.to_owned()),
            ));
            Verdict::next(record, Event::warning("OutgoingGone", format!("{from} is gone")))
        }
        Mine::Present(_) | Mine::Unknown(_) | Mine::Terminating | Mine::Foreign => Verdict::stay(view),
    }
}

/// Whether the outgoing version has been asked to run again.
fn was_started_again(view: &View<'_>, transition: &Transition, outgoing: &FlinkDeployment) -> bool {
    fields::job_state(&outgoing.spec) == JobState::Running
        && !matches!(resume(view, transition), Resume::NotYet)
}

fn returned(
    view: &View<'_>,
    transition: &Transition,
    from: Color,
    reason: AbortReason,
    message: &str,
    told: Event,
) -> Verdict {
    let mut record = view.record.with_state(State::Active(from));
    record.failed = failed::by_abort(view, transition, reason, message);
    record.kept = failed::left_behind(view, transition, reason);
    let outcome = failed::outcome(reason);
    let mut entry = switching::ended(view, transition, outcome, Some(message.to_owned()));
    entry.pause_milliseconds = transition
        .outgoing_stopped_at
        .map(|stopped| i64::try_from(view.now.duration_since(stopped).as_millis()).unwrap_or(i64::MAX));
    record.remember(entry);
    Verdict::next(record, told)
}
