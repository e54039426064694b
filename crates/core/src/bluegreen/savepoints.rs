//! Sluice's own savepoints: how they are named, which of them are kept, what the last known state of a job is.

use jiff::Timestamp;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment, Outcome, SavepointStatus};
use sluice_api::configuration;
use sluice_api::settings::SavepointRetention;

use super::record::{Record, Step};
use super::view::{Verdict, View};
use super::{child, diff};
use crate::{Event, identity};

/// The step of one attempt at a savepoint. Its trigger id and its directory are derived, so that the same attempt is the
/// same savepoint however often it is asked for; they are written down before the request is sent (scenario 1).
pub fn attempt(view: &View<'_>, transition: u64, attempt: u32, deadline: Timestamp) -> Step {
    let uid = child::uid(view.resource());
    Step::Savepointing {
        attempt,
        trigger_id: identity::trigger_id(uid, "savepoint", transition, attempt),
        directory: directory(view, transition, attempt),
        since: view.now,
        deadline,
    }
}

/// Where the savepoint of this attempt goes; empty: where Flink puts those that it is told nothing about.
pub fn directory(view: &View<'_>, transition: u64, attempt: u32) -> String {
    let uid = child::uid(view.resource());
    base_directory(view)
        .map(|base| identity::savepoint_directory(&base, uid, transition, attempt))
        .unwrap_or_default()
}

/// A savepoint that a transition waits for, as a shell asks after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited<'a> {
    /// Whose job it is of.
    pub color: Color,
    /// Our own trigger id.
    pub trigger_id: &'a str,
    /// The target directory of this attempt alone.
    pub directory: &'a str,
}

/// The savepoint that the resource's transition waits for: the one that the incoming job starts from, or the one that the outgoing job
/// is stopped with for good.
pub fn awaited(resource: &FlinkBlueGreenDeployment) -> Option<Awaited<'_>> {
    let transition = resource.status.as_ref()?.transition.as_ref()?;
    let (trigger_id, directory) = match &transition.step {
        Step::Savepointing {
            trigger_id,
            directory,
            ..
        } => (trigger_id, directory),
        Step::Sealing { stop: Some(stop), .. } => (&stop.trigger_id, &stop.directory),
        Step::Savepointed { .. }
        | Step::Stopping { .. }
        | Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::HandingOver { .. }
        | Step::Sealing { stop: None, .. }
        | Step::AwaitingPromotion { .. }
        | Step::Switching { .. }
        | Step::InPlace { .. }
        | Step::Returning { .. } => return None,
    };
    Some(Awaited {
        color: transition.from?,
        trigger_id,
        directory,
    })
}

fn base_directory(view: &View<'_>) -> Option<String> {
    let wanted = view
        .spec
        .as_ref()
        .ok()
        .and_then(|valid| valid.savepoint_directory.clone());
    wanted.or_else(|| {
        let reconciled = diff::child_spec(view.record.reconciled.as_ref()?);
        let flat = configuration::flatten(reconciled.flink_configuration.as_ref()?);
        flat.get("execution.checkpointing.savepoint-dir")
            .or_else(|| flat.get("state.savepoints.dir"))
            .cloned()
    })
}

/// The newest state of the job that the record knows of: the last savepoint that was taken, or what the active child was
/// started from.
pub fn last_known(record: &Record, active: Color) -> Option<String> {
    let begun = record.history.iter().find(|entry| {
        entry.to == active && entry.outcome == Outcome::Completed && entry.restored_from.is_some()
    });
    // A savepoint that is older than the active child's own start is not of its job.
    let taken = record
        .savepoints
        .last()
        .filter(|savepoint| begun.is_none_or(|begun| savepoint.transition > begun.transition));
    match taken {
        Some(savepoint) => Some(savepoint.path.clone()),
        None => begun.and_then(|begun| begun.restored_from.clone()),
    }
}

/// The savepoint that is to be disposed of next: the oldest beyond those that the policy keeps. The one that the active
/// child was started from stays: it may be needed once more.
pub fn surplus<'a>(view: &'a View<'_>, active: Color) -> Option<&'a SavepointStatus> {
    let SavepointRetention::Last(keep) = view.settings.savepoint_retention else {
        return None;
    };
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let surplus = view.record.savepoints.len().saturating_sub(keep);
    let in_use = view.present(active).and_then(child::restored_from);
    view.record
        .savepoints
        .iter()
        .take(surplus)
        .find(|savepoint| Some(savepoint.path.as_str()) != in_use)
}

/// The surplus savepoint of which Flink has answered that it is disposed of, or cannot be: it comes off the list. In `Err`
/// are Flink's words.
fn disposed<'a>(view: &'a View<'_>, active: Color) -> Option<(&'a str, Result<(), &'a str>)> {
    let path = surplus(view, active)?.path.as_str();
    let answer = view.observed.disposals.get(path)?;
    Some((path, answer.as_ref().copied().map_err(String::as_str)))
}

/// Takes a savepoint off the list in a write of its own.
pub fn tidy_up(view: &View<'_>, active: Color) -> Option<Verdict> {
    let (path, answer) = disposed(view, active)?;
    let event = match answer {
        Ok(()) => Event::normal("SavepointDisposed", format!("savepoint {path} is disposed of")),
        Err(why) => not_disposed(path, why),
    };
    Some(Verdict::next(unlisted(view.record.clone(), path), event))
}

/// Takes a savepoint off the list with the end of the transition that made it surplus: `record` and `events` are of that
/// end, whose last event then says so too. A write and an event less.
pub fn tidy_up_with(view: &View<'_>, active: Color, mut record: Record, mut ended: Event) -> Verdict {
    let mut refused = None;
    if let Some((path, answer)) = disposed(view, active) {
        record = unlisted(record, path);
        match answer {
            Ok(()) => ended.message = format!("{}; savepoint {path} is disposed of", ended.message),
            Err(why) => refused = Some(not_disposed(path, why)),
        }
    }
    Verdict {
        record,
        events: std::iter::once(ended).chain(refused).collect(),
        blocked: None,
    }
}

fn unlisted(mut record: Record, path: &str) -> Record {
    record.savepoints.retain(|listed| listed.path != path);
    record
}

fn not_disposed(path: &str, why: &str) -> Event {
    Event::warning(
        "SavepointNotDisposed",
        format!(
            "savepoint {path} could not be disposed of and is no longer listed: {}",
            child::shortened(why)
        ),
    )
}
