//! TRANSITIONING past the point of no return: the Ingress, then the deletion delay, then the outgoing child goes.
//!
//! From here on only forward: a blip of the incoming child aborts nothing (FLINK-40092, R11).

use jiff::Timestamp;
use sluice_api::blue_green::{Guarantee, HistoryEntry, Outcome, TransitionCause, TransitionMode};

use super::super::record::{State, Step, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{incoming, savepoints, watermark};
use crate::Event;

/// Records the point of no return. Everything irreversible comes after this is written.
pub fn begin(view: &View<'_>, transition: &Transition, ready_at: Timestamp) -> Verdict {
    let delete_after = match transition.from {
        Some(_) => view.after(view.settings.deployment_deletion_delay),
        None => view.now,
    };
    let step = Step::Switching {
        ready_at,
        since: view.now,
        delete_after,
    };
    let message = match transition.from {
        Some(from) => format!("{} is ready and takes over from {from}", transition.to),
        None => format!("{} is ready", transition.to),
    };
    // Where nothing holds it up, the end is told a moment later, and says as much.
    let lasts = delete_after > view.now;
    Verdict {
        record: view.record.at_step(transition, step),
        events: lasts
            .then(|| Event::normal("Switching", message))
            .into_iter()
            .collect(),
        blocked: None,
    }
}

/// Whether the outgoing child may go now: the Ingress leads to the incoming one, which is there, and the delay is over.
pub fn may_delete_outgoing(view: &View<'_>, transition: &Transition, delete_after: Timestamp) -> bool {
    view.now >= delete_after
        && view.present(transition.to).is_some()
        && view.ingress_leads_to(&transition.spec, transition.to)
}

/// Ends the transition when the outgoing child is gone, or going (scenario 30).
pub fn next(
    view: &View<'_>,
    transition: &Transition,
    ready_at: Timestamp,
    delete_after: Timestamp,
) -> Verdict {
    if matches!(view.mine(transition.to), Mine::Absent) {
        return incoming::gone(view, transition, None);
    }
    if !may_delete_outgoing(view, transition, delete_after) {
        return Verdict::stay(view);
    }
    let outgoing_is_over = match transition.from.map(|from| view.mine(from)) {
        None | Some(Mine::Absent | Mine::Terminating | Mine::Foreign) => true,
        Some(Mine::Present(_) | Mine::Unknown(_)) => false,
    };
    if !outgoing_is_over {
        return Verdict::stay(view);
    }
    let mut record = view.record.with_state(State::Active(transition.to));
    record.reconciled = Some(transition.spec.clone());
    record.sink_epoch = transition.sink_epoch;
    record.failed = None;
    record.remember(entry(view, transition, ready_at));
    let ended = Event::normal("TransitionCompleted", format!("{} is active", transition.to));
    savepoints::tidy_up_with(view, transition.to, record, ended)
}

fn entry(view: &View<'_>, transition: &Transition, ready_at: Timestamp) -> HistoryEntry {
    let milliseconds = |from: Option<Timestamp>| {
        from.map(|from| i64::try_from(ready_at.duration_since(from).as_millis()).unwrap_or(i64::MAX))
    };
    HistoryEntry {
        startup_milliseconds: milliseconds(transition.incoming_created_at),
        pause_milliseconds: milliseconds(transition.outgoing_stopped_at),
        ..ended(view, transition, Outcome::Completed, None)
    }
}

/// What the history says of a transition that ends now.
pub fn ended(
    view: &View<'_>,
    transition: &Transition,
    outcome: Outcome,
    message: Option<String>,
) -> HistoryEntry {
    HistoryEntry {
        transition: transition.number,
        from: transition.from,
        to: transition.to,
        cause: transition.cause,
        mode: transition.mode,
        started_at: transition.started_at,
        incoming_created_at: transition.incoming_created_at,
        ended_at: view.now,
        outcome,
        message: message.or_else(|| transition.lowered.clone()),
        savepoint: transition.savepoint.clone(),
        restored_from: transition.restore.clone(),
        guarantee: guarantee(transition),
        startup_milliseconds: None,
        pause_milliseconds: None,
        ledger: transition.watermark.as_ref().and_then(|it| it.ledger.clone()),
    }
}

/// What the records written by both jobs together add up to.
pub fn guarantee(transition: &Transition) -> Guarantee {
    let starts_from_nothing = transition.restore.is_none();
    if let (Some(handover), Step::Switching { .. }) = (&transition.watermark, &transition.step) {
        return watermark::guarantee(handover);
    }
    match (transition.mode, transition.from, transition.cause) {
        _ if transition.lowered.is_some() => Guarantee::AtLeastOnce,
        // Ended before there was an incoming job: nothing but the outgoing one has written.
        _ if matches!(
            transition.step,
            Step::Savepointing { .. }
                | Step::Savepointed { .. }
                | Step::Stopping { .. }
                | Step::HandingOver { .. }
        ) || transition.holds_incoming() =>
        {
            Guarantee::ExactlyOnce
        }
        (_, Some(_), _) | (_, _, TransitionCause::ActiveChildGone) if starts_from_nothing => {
            Guarantee::Stateless
        }
        // Where the user's savepoint stands is the user's affair: what was written since then is written again.
        (_, _, TransitionCause::SavepointRedeploy) => Guarantee::AtLeastOnce,
        (TransitionMode::Advanced, ..) | (TransitionMode::Basic, None, _) => Guarantee::ExactlyOnce,
        (TransitionMode::Basic, Some(_), _) => Guarantee::AtLeastOnce,
    }
}
