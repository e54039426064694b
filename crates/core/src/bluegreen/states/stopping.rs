//! STOPPING (ADVANCED, strategy SAVEPOINT): the outgoing job is stopped with a savepoint.

use jiff::Timestamp;
use sluice_api::blue_green::{AbortReason, SavepointStatus, TransitionCause};

use super::super::record::Transition;
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child};
use crate::{Event, Fact};

/// Goes on once the outgoing child says that it is suspended and what it would resume from.
pub fn next(view: &View<'_>, transition: &Transition, deadline: Timestamp) -> Verdict {
    let Some(from) = transition.from else {
        return Verdict::stay(view);
    };
    match view.mine(from) {
        Mine::Present(outgoing) if child::is_suspended(outgoing) => {
            match child::upgrade_savepoint(outgoing) {
                Some(path) => stopped(view, transition, Some(path)),
                // The user has named what to start from; a job without any state has none to come back to either.
                None if transition.cause == TransitionCause::SavepointRedeploy => {
                    stopped(view, transition, None)
                }
                None => abort::abort(
                    view,
                    transition,
                    AbortReason::StopFailed,
                    format!("{from} stopped, but left neither a savepoint nor a checkpoint"),
                ),
            }
        }
        // Deleted under our hands: its last completed checkpoint is as far as it came, and what it committed.
        Mine::Absent => match &view.side(from).checkpoint {
            Fact::Present(checkpoint) => stopped(view, transition, Some(&checkpoint.path)),
            Fact::Absent | Fact::Unknown(_) => late(
                view,
                transition,
                deadline,
                format!("{from} is gone and its state is not known"),
            ),
        },
        Mine::Present(outgoing) => late(
            view,
            transition,
            deadline,
            format!("{from} did not stop: {}", child::describe(outgoing)),
        ),
        Mine::Unknown(_) | Mine::Terminating | Mine::Foreign => Verdict::stay(view),
    }
}

fn late(view: &View<'_>, transition: &Transition, deadline: Timestamp, message: String) -> Verdict {
    if view.now < deadline {
        return Verdict::stay(view);
    }
    abort::abort(view, transition, AbortReason::StopFailed, message)
}

fn stopped(view: &View<'_>, transition: &Transition, path: Option<&str>) -> Verdict {
    let restore = match transition.cause {
        // The user named what to start from.
        TransitionCause::SavepointRedeploy => transition.restore.clone(),
        TransitionCause::FirstDeployment
        | TransitionCause::SpecChanged
        | TransitionCause::ActiveChildGone
        | TransitionCause::Suspend
        | TransitionCause::Resume
        | TransitionCause::PatchChild
        | TransitionCause::TakenOver => path.map(str::to_owned),
    };
    let mut record = view.record.with_transition(Transition {
        step: if transition.warm {
            view.deploying()
        } else {
            view.creating()
        },
        savepoint: path.map(str::to_owned),
        restore,
        outgoing_stopped_at: Some(view.now),
        ..transition.clone()
    });
    if let Some(path) = path
        && is_savepoint(view, transition, path)
    {
        record.savepoints.push(SavepointStatus {
            path: path.to_owned(),
            transition: transition.number,
            at: view.now,
        });
    }
    let message = match path {
        Some(path) => format!("the outgoing job is stopped; its state is {path}"),
        None => "the outgoing job is stopped; it has left no state".to_owned(),
    };
    Verdict::next(record, Event::normal("OutgoingStopped", message))
}

/// A checkpoint belongs to its job; only savepoints are listed, and disposed of one day.
fn is_savepoint(view: &View<'_>, transition: &Transition, path: &str) -> bool {
    transition
        .from
        .and_then(|from| view.present(from))
        .and_then(|outgoing| outgoing.status.as_ref())
        .and_then(|status| status.job_status.as_ref())
        .and_then(|job| job.savepoint_info.as_ref())
        .and_then(|info| info.last_savepoint.as_ref())
        .and_then(|savepoint| savepoint.location.as_deref())
        == Some(path)
}
