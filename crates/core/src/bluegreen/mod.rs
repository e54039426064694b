//! One `FlinkBlueGreenDeployment`: the blue/green state machine.
//!
//! [`decide`] is the whole of it. It reads the record from the status (or rebuilds it), lets the first of [`RULES`] that
//! applies say where the record goes, and derives the effects from the record.

pub mod abort;
pub mod agent;
pub mod child;
mod commands;
pub mod course;
pub mod decision;
pub mod diff;
mod effects;
mod failed;
mod incoming;
pub mod ingress;
pub mod invariants;
mod named;
pub mod observed;
pub mod plan;
mod prepared;
pub mod promise;
mod rebuild;
pub mod record;
mod retarget;
pub mod rival;
mod savepoints;
mod specification;
mod states;
mod status;
mod view;
mod waiting;
mod watermark;

use jiff::Timestamp;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentStatus};

pub use decision::{Decision, Effect, Waiting, WaitingFor};
pub use named::wants_cluster;
pub use observed::{
    ClusterView, CompletedCheckpoint, Observed, SavepointObservation, SavepointProgress, Side,
};
use record::State;
pub use savepoints::{Awaited as AwaitedSavepoint, awaited as awaited_savepoint};
pub use specification::Specification;
pub use status::step_name;
use view::{Verdict, View};

use crate::Wake;

/// A rule: `None` where it does not apply.
struct Rule {
    apply: fn(&View<'_>) -> Option<Verdict>,
    /// What it is for; the order of the rules is read from this list.
    why: &'static str,
}

/// The rules, in order; the first that applies decides.
const RULES: &[Rule] = &[
    Rule {
        apply: commands::command,
        why: "what a person asks for by an annotation is acted on first, and once",
    },
    Rule {
        apply: retarget::retarget,
        why: "an edit before the point of no return changes where the transition goes",
    },
    Rule {
        apply: |view| Some(states::next(view)),
        why: "the state's own way on",
    },
];

/// What the rules are for, in their order.
pub fn rules() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.why)
}

/// Decides what to do with one resource. Total: it never fails and never panics, whatever the resource says.
pub fn decide(observed: &Observed, now: Timestamp) -> Decision {
    let nothing = |waiting: Option<Waiting>, wake| Decision {
        status: None,
        effects: Vec::new(),
        waiting,
        events: Vec::new(),
        wake,
    };
    if observed.resource.metadata.deletion_timestamp.is_some() {
        // The children go by their owner reference; nothing new is begun.
        return nothing(None, Wake::OnChange);
    }
    if let Some(aside) = rival::stand_aside(observed, now) {
        return aside;
    }
    let (record, rebuilt) = match rebuild::record(observed, now) {
        Ok(found) => found,
        Err(waiting) => {
            let interval = sluice_api::settings::BlueGreenSettings::default().reschedule_interval;
            return nothing(
                Some(waiting),
                Wake::At(now.saturating_add(interval).unwrap_or(Timestamp::MAX)),
            );
        }
    };
    let mut view = View::new(observed, now, record);
    let verdict = if rebuilt.is_some() {
        // What was rebuilt is written down before anything is done with it.
        Verdict::stay(&view)
    } else {
        RULES
            .iter()
            .find_map(|rule| (rule.apply)(&view))
            .unwrap_or_else(|| Verdict::stay(&view))
    };
    let moved = verdict.record != view.record || rebuilt.is_some();
    view.record = verdict.record;
    let blocked = verdict.blocked.is_some();
    let waiting = verdict.blocked.or_else(|| status::awaited(&view));
    let mut events: Vec<_> = rebuilt.into_iter().collect();
    events.extend(verdict.events);
    Decision {
        status: status::write(&view, waiting.as_ref(), blocked),
        effects: effects::of(&view),
        wake: wake(&view, moved, waiting.as_ref()),
        waiting,
        events,
    }
}

fn wake(view: &View<'_>, moved: bool, waiting: Option<&Waiting>) -> Wake {
    if moved {
        return Wake::Now;
    }
    let mut wake = Wake::OnChange;
    if let Some(waiting) = waiting {
        wake = wake.earlier(Wake::At(view.after(view.settings.reschedule_interval)));
        // A deadline that is over and has changed nothing (its object could not be observed) is no reason to hurry.
        if let Some(until) = waiting.until.filter(|until| *until > view.now) {
            wake = wake.earlier(Wake::At(until));
        }
    }
    if let Some(delete_at) = view.record.kept.as_ref().and_then(|kept| kept.delete_at) {
        let next = if delete_at > view.now {
            delete_at
        } else {
            // It was asked to go; this is for the request that was lost.
            view.after(view.settings.reschedule_interval)
        };
        wake = wake.earlier(Wake::At(next));
    }
    wake
}

/// The side that serves, by the status; `None` while none does.
pub fn active_color(status: &FlinkBlueGreenDeploymentStatus) -> Option<Color> {
    match record::read(status) {
        Some(record) => record.active(),
        None => None,
    }
}

/// Whether a resource is settled: nothing is under way.
pub fn is_settled(status: &FlinkBlueGreenDeploymentStatus) -> bool {
    record::read(status).is_some_and(|record| matches!(record.state, State::Active(_)))
}
