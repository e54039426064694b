//! The incoming child that someone has deleted: where it goes on from when it is created again (scenarios 24 and 25).

use jiff::Timestamp;
use sluice_api::UpgradeMode;
use sluice_api::blue_green::{Color, TransitionCause, TransitionMode};
use sluice_api::validation::ValidSpec;

use super::decision::{Waiting, WaitingFor};
use super::diff;
use super::observed::CompletedCheckpoint;
use super::record::{Step, Transition};
use super::view::{Verdict, View};
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
        Fact::Unknown(why) => GoesOnFrom::NotKnown(why),
    }
}

/// Whether nobody else holds what its job has done: the outgoing job is stopped, or never was, or is on its way out. In a
/// fork before the point of no return the outgoing job still has everything, and in a stateless one there is no state.
fn was_the_only_writer(transition: &Transition) -> bool {
    let stateless = || {
        let job = diff::child_spec(&transition.spec).job.clone().unwrap_or_default();
        job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless
    };
    match transition.mode {
        TransitionMode::Advanced => true,
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
        GoesOnFrom::Start => Verdict::stay(view),
        GoesOnFrom::Checkpoint(path) if transition.restore.as_deref() == Some(path) => Verdict::stay(view),
        GoesOnFrom::Checkpoint(path) => {
            let record = view.record.with_transition(Transition {
                restore: Some(path.to_owned()),
                ..transition.clone()
            });
            let message = format!("{} was deleted; it goes on from {path}", transition.to);
            Verdict::next(record, Event::warning("ChildGone", message))
        }
        GoesOnFrom::NotKnown(why) => Verdict::blocked(
            view,
            Waiting {
                what: WaitingFor::Observation(format!(
                    "{} was deleted and its last completed checkpoint could not be learnt: {why}",
                    transition.to
                )),
                since: None,
                until: deadline,
            },
        ),
    }
}
