//! SAVEPOINTING: a savepoint of the outgoing job is being taken; the job goes on running.

use jiff::Timestamp;
use sluice_api::blue_green::{AbortReason, Color, Outcome, SavepointStatus, WatermarkStatus};

use super::super::observed::SavepointProgress;
use super::super::record::{State, Step, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, savepoints, watermark};
use super::switching;
use crate::{Event, Fact};

/// How many times a savepoint is tried before the transition aborts.
const ATTEMPTS: u32 = 3;

/// Looks at the answer before the child and the clock: what is complete counts, however late it was seen (scenario 51), and
/// though its child is gone by then: it is the newest state.
pub fn next(
    view: &View<'_>,
    transition: &Transition,
    attempt: u32,
    trigger_id: &str,
    deadline: Timestamp,
) -> Verdict {
    let progress = view
        .observed
        .savepoint
        .as_ref()
        .filter(|observation| observation.trigger_id == trigger_id)
        .map(|observation| &observation.progress);
    let failure = match progress {
        Some(Fact::Present(SavepointProgress::Completed { checkpoint: None, .. }))
            if transition.watermark.is_some() =>
        {
            Some(
                "Flink called the savepoint complete without saying which of the checkpoints it is"
                    .to_owned(),
            )
        }
        Some(Fact::Present(SavepointProgress::Completed { location, checkpoint }))
            if !location.is_empty() =>
        {
            return completed(view, transition, location, *checkpoint);
        }
        Some(Fact::Present(SavepointProgress::Completed { .. })) => {
            Some("Flink called the savepoint complete without saying where it is".to_owned())
        }
        Some(Fact::Present(SavepointProgress::Failed { cause })) => Some(cause.clone()),
        // A glitch while polling is not an answer (R7): what is in progress or unknown goes on being waited for.
        Some(Fact::Present(SavepointProgress::InProgress) | Fact::Unknown(_) | Fact::Absent) | None => None,
    };
    if let Some(from) = transition.from
        && matches!(view.mine(from), Mine::Absent)
    {
        return child_gone(view, transition, from);
    }
    let late = view.now >= deadline;
    match failure {
        Some(cause) if attempt < ATTEMPTS && !late => {
            let message = format!("savepoint attempt {attempt} failed and is tried again: {cause}");
            let record = view.record.with_transition(Transition {
                step: savepoints::attempt(view, transition.number, attempt.saturating_add(1), deadline),
                watermark: forked_anew(view, transition),
                ..transition.clone()
            });
            Verdict::next(record, Event::warning("SavepointFailed", message))
        }
        Some(cause) => abort::abort(
            view,
            transition,
            AbortReason::SavepointFailed,
            format!("the savepoint failed {attempt} times: {cause}"),
        ),
        None if late => {
            let state = match progress {
                Some(Fact::Unknown(why)) => format!("; its progress could not be learnt: {why}"),
                Some(Fact::Absent) | None => match view.observed.failures.last() {
                    Some(why) => format!("; it could not be asked for: {why}"),
                    None => String::new(),
                },
                Some(Fact::Present(_)) => String::new(),
            };
            let message = format!("the savepoint was not finished by {deadline:.0}{state}");
            abort::abort(view, transition, AbortReason::SavepointFailed, message)
        }
        None => Verdict::stay(view),
    }
}

/// Its child is gone, and so nothing comes of the savepoint any more: waiting for its deadline would only leave nothing
/// running. The child comes back first, in the ACTIVE state and from the state that is known (scenario 23); its last
/// checkpoint is as good, for a savepoint of a job that goes on commits nothing. The edit is not to blame, so it is not set
/// aside: it is made once the child is back.
fn child_gone(view: &View<'_>, transition: &Transition, from: Color) -> Verdict {
    let message =
        format!("{from} was deleted while a savepoint of it was awaited; it comes back first, then the edit");
    let mut record = view.record.with_state(State::Active(from));
    record.remember(switching::ended(
        view,
        transition,
        Outcome::Aborted,
        Some(message.clone()),
    ));
    Verdict::next(record, Event::warning("TransitionAborted", message))
}

/// A handover at a cut in event time has to know of every restart since the savepoint of its fork was asked for.
fn forked_anew(view: &View<'_>, transition: &Transition) -> Option<WatermarkStatus> {
    let before = transition.watermark.clone()?;
    let now = transition.from.and_then(|from| watermark::attempt_of(view, from));
    Some(WatermarkStatus {
        attempt: now.unwrap_or(before.attempt),
        ..before
    })
}

fn completed(view: &View<'_>, transition: &Transition, location: &str, checkpoint: Option<u64>) -> Verdict {
    let mut record = view.record.with_transition(Transition {
        step: Step::Savepointed { since: view.now },
        savepoint: Some(location.to_owned()),
        restore: Some(location.to_owned()),
        watermark: transition
            .watermark
            .clone()
            .map(|before| WatermarkStatus { checkpoint, ..before }),
        ..transition.clone()
    });
    record.savepoints.push(SavepointStatus {
        path: location.to_owned(),
        transition: transition.number,
        at: view.now,
    });
    Verdict::next(
        record,
        Event::normal("SavepointCompleted", format!("the savepoint is {location}")),
    )
}
