//! The incoming child that someone has deleted: where it goes on from when it is created again (scenarios 24 and 25).

use jiff::Timestamp;
use sluice_api::UpgradeMode;
use sluice_api::blue_green::{Color, Outcome, TransitionCause, TransitionMode};
use sluice_api::validation::ValidSpec;

use super::decision::{Waiting, WaitingFor};
use super::observed::CompletedCheckpoint;
use super::record::{State, Step, Transition};
use super::states::switching;
use super::view::{Mine, Verdict, View};
use super::{child, diff};
use crate::{Event, Fact};

/// Where the incoming child goes on from.
pub enum GoesOnFrom<'a> {
    /// From what the record says.
    Start,
    /// From its own last completed checkpoint: its sinks have committed output up to it.
    Checkpoint(&'a str),
    /// That could not be learnt.
    NotKnown(String),
}

/// Where an incoming child that was deleted goes on from.
pub fn goes_on_from<'a>(view: &View<'a>, transition: &Transition) -> GoesOnFrom<'a> {
    if !was_the_only_writer(transition) {
        return GoesOnFrom::Start;
    }
    match own_checkpoint(view, transition) {
        Fact::Present(checkpoint) => GoesOnFrom::Checkpoint(&checkpoint.path),
        // Nothing was committed without a checkpoint.
        Fact::Absent => GoesOnFrom::Start,
        Fact::Unknown(_) if outgoing_has_written_it_too(view, transition) => GoesOnFrom::Start,
        Fact::Unknown(why) => GoesOnFrom::NotKnown(why),
    }
}

/// Whether an incoming job that serves, and of which nobody knows how far it came, may start over from where it started.
///
/// In BASIC mode the outgoing job goes on until it is deleted, which waits for the incoming one. As long as it runs, all that
/// came since the fork is in its output as well, so nothing can be lost, not even what the sources no longer hold; and both
/// jobs' records were visible all the while, so what is written once more is a doubled record among doubled ones. Waiting
/// could last for ever: an operator that did not see the JobManager before it was gone never learns its last checkpoint.
/// In ADVANCED mode the outgoing job is stopped, and what the incoming one has committed stands only once: never started over.
fn outgoing_has_written_it_too(view: &View<'_>, transition: &Transition) -> bool {
    let outgoing = transition.from.and_then(|from| view.present(from));
    transition.mode == TransitionMode::Basic
        && matches!(transition.step, Step::Switching { .. })
        && transition.restore.is_some()
        && outgoing.is_some_and(child::job_is_running)
}

/// Whether nobody else holds what its job has done: the outgoing job is stopped, or never was, or is on its way out. In a
/// fork before the point of no return the outgoing job still has everything, and in a stateless one there is no state.
fn was_the_only_writer(transition: &Transition) -> bool {
    let stateless = || {
        let job = diff::child_spec(&transition.spec).job.clone().unwrap_or_default();
        job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless
    };
    match transition.mode {
        // One that waits has not begun, and one whose gates are closed has written nothing.
        TransitionMode::Advanced => {
            !transition.holds_incoming() && !matches!(transition.step, Step::HandingOver { .. })
        }
        TransitionMode::Basic => {
            let alone = transition.from.is_none() || matches!(transition.step, Step::Switching { .. });
            alone && !stateless()
        }
    }
}

/// The last completed checkpoint of this transition's own incoming job.
pub fn own_checkpoint<'a>(view: &View<'a>, transition: &Transition) -> Fact<&'a CompletedCheckpoint> {
    match &view.side(transition.to).checkpoint {
        Fact::Present(checkpoint) if checkpoint.transition == transition.number => Fact::Present(checkpoint),
        Fact::Present(_) | Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
    }
}

/// What a first deployment starts from. One that is tried once more goes on from where its child came to, for what that has
/// committed is not to be committed again; unless the user has named something new, or wants no state. `Err`: it is not
/// known.
pub fn first_deployment(view: &View<'_>, valid: &ValidSpec) -> Result<Option<String>, String> {
    let named = valid.job.initial_savepoint_path.clone();
    let attempts = || {
        let history = view.record.history.iter();
        history.filter(|entry| entry.cause == TransitionCause::FirstDeployment)
    };
    let names_something_new = named.is_some() && attempts().all(|attempt| attempt.restored_from != named);
    let none_ran = attempts().all(|attempt| attempt.incoming_created_at.is_none());
    if is_stateless(valid) || names_something_new || none_ran {
        return Ok(named);
    }
    match &view.side(Color::Blue).checkpoint {
        Fact::Present(checkpoint) => Ok(Some(checkpoint.path.clone())),
        Fact::Absent => Ok(named),
        Fact::Unknown(why) => Err(why.clone()),
    }
}

/// The same for a first deployment under way that an edit begins anew.
pub fn first_deployment_edited(
    view: &View<'_>,
    transition: &Transition,
    valid: &ValidSpec,
) -> Result<Option<String>, String> {
    let named = valid.job.initial_savepoint_path.clone();
    let named_before = diff::child_spec(&transition.spec)
        .job
        .as_ref()
        .and_then(|job| job.initial_savepoint_path.clone());
    if is_stateless(valid) || named != named_before {
        return Ok(named);
    }
    if transition.incoming_created_at.is_none() {
        return Ok(transition.restore.clone());
    }
    match own_checkpoint(view, transition) {
        Fact::Present(checkpoint) => Ok(Some(checkpoint.path.clone())),
        Fact::Absent => Ok(transition.restore.clone()),
        Fact::Unknown(why) => Err(why),
    }
}

fn is_stateless(valid: &ValidSpec) -> bool {
    valid.job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless
}

/// Writes down where the deleted child goes on from, before it is created from there.
pub fn gone(view: &View<'_>, transition: &Transition, deadline: Option<Timestamp>) -> Verdict {
    match goes_on_from(view, transition) {
        GoesOnFrom::Start => from_the_start(view, transition),
        GoesOnFrom::Checkpoint(path) if transition.restore.as_deref() == Some(path) => Verdict::stay(view),
        GoesOnFrom::Checkpoint(path) => {
            let record = view.record.with_transition(Transition {
                restore: Some(path.to_owned()),
                ..transition.clone()
            });
            let message = format!("{} was deleted; it goes on from {path}", transition.to);
            Verdict::next(record, Event::warning("ChildGone", message))
        }
        GoesOnFrom::NotKnown(why) => not_known(view, transition, deadline, &why),
    }
}

/// Says so where it may have come further than where it starts from once more.
fn from_the_start(view: &View<'_>, transition: &Transition) -> Verdict {
    let why = match own_checkpoint(view, transition) {
        Fact::Unknown(why) if outgoing_has_written_it_too(view, transition) => why,
        Fact::Unknown(_) | Fact::Absent | Fact::Present(_) => return Verdict::stay(view),
    };
    if transition.lowered.is_some() {
        return Verdict::stay(view);
    }
    let lowered = format!(
        "{} was deleted and its last completed checkpoint could not be learnt ({why}): it starts again from {}, and what it \
         has written since comes twice",
        transition.to,
        transition.restore.as_deref().unwrap_or("nothing")
    );
    let record = view.record.with_transition(Transition {
        lowered: Some(lowered.clone()),
        ..transition.clone()
    });
    Verdict::next(record, Event::warning("ChildGone", lowered))
}

fn not_known(view: &View<'_>, transition: &Transition, deadline: Option<Timestamp>, why: &str) -> Verdict {
    let mut what = format!(
        "{} was deleted and its last completed checkpoint could not be learnt: {why}",
        transition.to
    );
    if matches!(transition.step, Step::Switching { .. }) {
        let there = |from: &Color| matches!(view.mine(*from), Mine::Present(_) | Mine::Unknown(_));
        let Some(outgoing) = transition.from.filter(there) else {
            // There is nothing left to switch from: what is done about an active child that is gone is done now, and what
            // a person can do about it is told there.
            return active_and_gone(view, transition);
        };
        what.push_str("; from anything older it would write records again. If it cannot be learnt, delete ");
        what.push_str(&outgoing.child_name(child::name(view.resource())));
        what.push_str(", too: then a savepoint to go on from can be named");
    }
    Verdict::blocked(
        view,
        Waiting {
            what: WaitingFor::Observation(what),
            since: None,
            until: deadline,
        },
    )
}

/// The end of a transition past its point of no return, both of whose children are gone.
fn active_and_gone(view: &View<'_>, transition: &Transition) -> Verdict {
    let mut record = view.record.with_state(State::Active(transition.to));
    record.reconciled = Some(transition.spec.clone());
    record.sink_epoch = transition.sink_epoch;
    record.failed = None;
    record.remember(switching::ended(view, transition, Outcome::Completed, None));
    let message = format!("{} is active, and it is gone", transition.to);
    Verdict::next(record, Event::warning("TransitionCompleted", message))
}
