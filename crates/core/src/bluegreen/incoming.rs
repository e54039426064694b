//! The incoming child that someone has deleted: where it goes on from when it is created again (scenarios 24 and 25).

use jiff::Timestamp;
use sluice_api::UpgradeMode;
use sluice_api::blue_green::{TransitionCause, TransitionMode};

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

/// What the incoming job was started from in the beginning.
pub fn first_start(transition: &Transition) -> Option<String> {
    match transition.cause {
        TransitionCause::SavepointRedeploy => {
            diff::child_spec(&transition.spec)
                .job
                .clone()?
                .initial_savepoint_path
        }
        TransitionCause::FirstDeployment
        | TransitionCause::SpecChanged
        | TransitionCause::ActiveChildGone
        | TransitionCause::Suspend
        | TransitionCause::Resume
        | TransitionCause::PatchChild
        | TransitionCause::TakenOver => transition.savepoint.clone(),
    }
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
