//! ACTIVE: one child serves and nothing is under way; edits begin here.

use sluice_api::UpgradeMode;
use sluice_api::blue_green::{Color, TransitionCause, TransitionMode};
use sluice_api::validation::ValidSpec;
use sluice_api::{FlinkDeployment, JobState};

use super::super::decision::{Waiting, WaitingFor};
use super::super::diff::{self, DiffKind};
use super::super::record::Step;
use super::super::specification::Specification;
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child, failed, prepared, rebuild, savepoints, waiting, watermark};
use crate::{Event, Fact, fields};

/// Looks after the active child, then at the edit.
pub fn next(view: &View<'_>, color: Color) -> Verdict {
    let Some(reconciled) = &view.record.reconciled else {
        return Verdict::stay(view);
    };
    let active = match view.mine(color) {
        Mine::Unknown(why) => {
            return Verdict::blocked(
                view,
                Waiting::observation(format!("{color} could not be read: {why}")),
            );
        }
        Mine::Foreign => {
            let what = abort::name_conflict(view, color);
            return Verdict::blocked(view, Waiting::for_person(WaitingFor::Person(what)));
        }
        Mine::Terminating => {
            return Verdict::blocked(view, Waiting::for_person(WaitingFor::Gone(color)));
        }
        Mine::Absent => return recreate(view, color, reconciled),
        Mine::Present(active) => active,
    };
    if let Some(verdict) = failed::tidy_up(view, Some(color)).or_else(|| savepoints::tidy_up(view, color)) {
        return verdict;
    }
    match &view.spec {
        Ok(valid) => edit(view, color, active, reconciled, valid),
        Err(_) => Verdict::stay(view),
    }
}

/// What the present specification asks for, compared with the one that the active child was made from.
pub fn edit(
    view: &View<'_>,
    color: Color,
    active: &FlinkDeployment,
    reconciled: &Specification,
    valid: &ValidSpec,
) -> Verdict {
    if **reconciled == valid.spec && view.record.failed.is_none() {
        return Verdict::stay(view);
    }
    let diff = diff::compare(reconciled, &valid.spec);
    if diff.kind == DiffKind::Ignore {
        return ignore(view, valid);
    }
    if failed::is_set_aside(view, &valid.spec) {
        return Verdict::stay(view);
    }
    let suspended = fields::job_state(&diff::child_spec(reconciled)) == JobState::Suspended;
    match diff.kind {
        DiffKind::Suspend => in_place(view, color, valid, TransitionCause::Suspend),
        DiffKind::Resume => in_place(view, color, valid, TransitionCause::Resume),
        // Any edit while suspended is applied in place.
        DiffKind::SavepointRedeploy | DiffKind::PatchChild | DiffKind::Transition if suspended => {
            in_place(view, color, valid, TransitionCause::PatchChild)
        }
        DiffKind::PatchChild => in_place(view, color, valid, TransitionCause::PatchChild),
        DiffKind::SavepointRedeploy => begin(view, color, active, valid, TransitionCause::SavepointRedeploy),
        DiffKind::Transition => begin(view, color, active, valid, TransitionCause::SpecChanged),
        DiffKind::Ignore => Verdict::stay(view),
    }
}

/// The child specifications are equal: only the record takes note (configuration and Ingress apply by themselves).
fn ignore(view: &View<'_>, valid: &ValidSpec) -> Verdict {
    let mut record = view.record.clone();
    record.reconciled = Some(Specification::new(valid.spec.clone()));
    let events = match record.failed.take() {
        Some(failed) => vec![Event::normal(
            "SpecReverted",
            format!(
                "the specification is the active one again; the attempt of transition {} is forgotten",
                failed.transition
            ),
        )],
        None => Vec::new(),
    };
    Verdict {
        record,
        events,
        blocked: None,
    }
}

fn in_place(view: &View<'_>, color: Color, valid: &ValidSpec, cause: TransitionCause) -> Verdict {
    let step = Step::InPlace {
        since: view.now,
        deadline: view.grace_deadline(),
    };
    let record = view.begin(
        None,
        color,
        cause,
        &Specification::new(valid.spec.clone()),
        None,
        step,
    );
    let what = match cause {
        TransitionCause::Suspend => "is suspended in place",
        TransitionCause::Resume => "is resumed in place",
        TransitionCause::PatchChild
        | TransitionCause::FirstDeployment
        | TransitionCause::SpecChanged
        | TransitionCause::SavepointRedeploy
        | TransitionCause::ActiveChildGone
        | TransitionCause::TakenOver => "is changed in place",
    };
    Verdict::next(record, Event::normal("ChildChanged", format!("{color} {what}")))
}

/// Begins a transition to the other colour: from what the user named for a redeployment, otherwise with the active job's
/// state as `upgradeMode` says.
fn begin(
    view: &View<'_>,
    color: Color,
    active: &FlinkDeployment,
    valid: &ValidSpec,
    cause: TransitionCause,
) -> Verdict {
    let to = color.other();
    match view.mine(to) {
        Mine::Foreign => {
            let what = abort::name_conflict(view, to);
            return Verdict::blocked(view, Waiting::for_person(WaitingFor::Person(what)));
        }
        Mine::Unknown(why) => {
            return Verdict::blocked(
                view,
                Waiting::observation(format!("{to} could not be read: {why}")),
            );
        }
        Mine::Absent | Mine::Present(_) | Mine::Terminating => {}
    }
    let start = |restore: Option<String>, step: Step, message: String| {
        let mut record = view.begin(
            Some(color),
            to,
            cause,
            &Specification::new(valid.spec.clone()),
            restore,
            step,
        );
        // A specification that is tried again is no longer set aside.
        record.failed = None;
        Verdict::next(record, Event::normal("TransitionStarted", message))
    };
    let redeploy = cause == TransitionCause::SavepointRedeploy;
    let named = valid.job.initial_savepoint_path.clone();
    let healthy = is_healthy(active);
    if view.settings.transition_mode == TransitionMode::Advanced {
        if let Err(why) = prepared::is_deliverable(view, to, &valid.spec) {
            return Verdict::blocked(view, Waiting::for_person(WaitingFor::Person(why)));
        }
        let wanted = Specification::new(valid.spec.clone());
        if !watermark::is_wanted(&valid.child) || redeploy || !healthy {
            return stop_for(view, color, cause, &wanted);
        }
        return match watermark::way(view, color, active, &valid.child) {
            watermark::Way::Blocked(waiting) => Verdict::blocked(view, waiting),
            watermark::Way::Savepoint(why) => {
                let mut verdict = stop_for(view, color, cause, &wanted);
                for event in verdict.events.iter_mut().take(1) {
                    event.message = format!("{}, because {why}", event.message);
                }
                verdict
            }
            watermark::Way::Watermark(handover) => {
                let number = view.record.number.saturating_add(1);
                let step = savepoints::attempt(view, number, 1, view.after(view.settings.savepoint_timeout));
                let message = format!(
                    "a savepoint of {color} is taken, {to} takes over from it at a cut in event time"
                );
                let mut verdict = start(None, step, message);
                verdict.record = verdict.record.at_a_watermark(handover);
                verdict
            }
        };
    }
    if redeploy {
        let message = match &named {
            Some(path) => format!("{to} is deployed from {path}, as savepointRedeployNonce asks"),
            None => format!("{to} is deployed, as savepointRedeployNonce asks"),
        };
        return start(named, view.creating(), message);
    }
    match valid.job.upgrade_mode.unwrap_or_default() {
        UpgradeMode::Stateless => start(
            None,
            view.creating(),
            format!("{to} is deployed without state (upgradeMode stateless)"),
        ),
        UpgradeMode::Savepoint | UpgradeMode::LastState => {
            if healthy {
                let number = view.record.number.saturating_add(1);
                let step = savepoints::attempt(view, number, 1, view.after(view.settings.savepoint_timeout));
                return start(None, step, format!("a savepoint of {color} is taken for {to}"));
            }
            match state_of_unhealthy(view, color, active) {
                Ok(path) => {
                    let message = format!(
                        "{color} is not running, so {to} is deployed from its last completed checkpoint {path}"
                    );
                    start(Some(path), view.creating(), message)
                }
                Err(blocked) => *blocked,
            }
        }
    }
}

fn is_healthy(active: &FlinkDeployment) -> bool {
    child::job_is_running(active) && child::job_id(active).is_some()
}

/// Begins a transition by the strategy SAVEPOINT: the outgoing job is stopped with a savepoint, once the incoming cluster is up where
/// it can be told to wait.
pub fn stop_for(view: &View<'_>, color: Color, cause: TransitionCause, spec: &Specification) -> Verdict {
    let to = color.other();
    let Some(active) = view.present(color) else {
        return Verdict::stay(view);
    };
    let redeploy = cause == TransitionCause::SavepointRedeploy;
    let healthy = is_healthy(active);
    // Stopped without any state, it could not come back either.
    if !redeploy
        && !healthy
        && let Err(blocked) = state_of_unhealthy(view, color, active)
    {
        return *blocked;
    }
    let named = || {
        diff::child_spec(spec)
            .job
            .as_ref()?
            .initial_savepoint_path
            .clone()
    };
    let restore = redeploy.then(named).flatten();
    let number = view.record.number.saturating_add(1);
    let warm = healthy && waiting::is_possible(view, to, number, spec);
    let (step, message) = if warm {
        let message = format!("{to} comes up and waits; then {color} is stopped with a savepoint for it");
        (view.creating(), message)
    } else {
        let message = format!("{color} is stopped with a savepoint, {to} goes on from it");
        (view.stopping(), message)
    };
    let mut record = view.begin(Some(color), to, cause, spec, restore, step);
    // A specification that is tried again is no longer set aside.
    record.failed = None;
    let record = if warm { record.warm() } else { record };
    Verdict::next(record, Event::normal("TransitionStarted", message))
}

/// The active job is unhealthy, and a fix must get through (row 8): its last completed checkpoint carries the state as far
/// as it is durable. Without one the edit waits for a person, and nothing is dropped.
fn state_of_unhealthy(
    view: &View<'_>,
    color: Color,
    active: &FlinkDeployment,
) -> Result<String, Box<Verdict>> {
    let waiting = match &view.side(color).checkpoint {
        Fact::Present(checkpoint) => return Ok(checkpoint.path.clone()),
        Fact::Absent => Waiting::for_person(WaitingFor::Person(format!(
            "{color} is not running ({}), so no savepoint can be taken, and it has no completed checkpoint; \
             fix it, or change job.upgradeMode to stateless{}, or name a savepoint in \
             job.initialSavepointPath with a new job.savepointRedeployNonce",
            child::describe(active),
            match view.settings.transition_mode {
                TransitionMode::Basic => "",
                TransitionMode::Advanced => " and the transition mode to BASIC",
            }
        ))),
        Fact::Unknown(why) => Waiting::observation(format!(
            "{color} is not running ({}), and its last completed checkpoint could not be learnt: {why}",
            child::describe(active)
        )),
    };
    Err(Box::new(Verdict::blocked(view, waiting)))
}

/// The active child is gone: it is created again with the state that is known, never from nothing (scenario 23).
fn recreate(view: &View<'_>, color: Color, reconciled: &Specification) -> Verdict {
    let job = diff::child_spec(reconciled).job.clone().unwrap_or_default();
    if job.state == Some(JobState::Suspended) && view.wants_suspended() {
        // Nothing has to run; it is created when it is to be resumed. Its state is looked for then.
        return Verdict::stay(view);
    }
    if let Ok(valid) = &view.spec
        && let Some(verdict) = recreate_as_told(view, color, reconciled, valid)
    {
        return verdict;
    }
    let made_stateless = job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless;
    // An edit that waits to be made may ask for the state that the job has by now.
    let mode = match &view.spec {
        Ok(valid) if made_stateless => valid.job.upgrade_mode.unwrap_or_default(),
        Ok(_) | Err(_) => job.upgrade_mode.unwrap_or_default(),
    };
    let known = match (mode, &view.side(color).checkpoint) {
        (UpgradeMode::Stateless, _) => None,
        // It began from nothing and has completed nothing; an older state is not its own.
        (UpgradeMode::Savepoint | UpgradeMode::LastState, Fact::Absent) if made_stateless => None,
        (UpgradeMode::Savepoint | UpgradeMode::LastState, Fact::Unknown(why)) => {
            return Verdict::blocked(
                view,
                Waiting::observation(format!(
                    "{color} is gone and its last completed checkpoint could not be learnt: {why}; if it cannot be, name \
                     a savepoint in job.initialSavepointPath with a new job.savepointRedeployNonce"
                )),
            );
        }
        (UpgradeMode::Savepoint | UpgradeMode::LastState, Fact::Present(checkpoint)) => {
            Some(checkpoint.path.clone())
        }
        (UpgradeMode::Savepoint | UpgradeMode::LastState, Fact::Absent) => {
            match savepoints::last_known(&view.record, color) {
                Some(path) => Some(path),
                None => {
                    return Verdict::blocked(
                        view,
                        Waiting::for_person(WaitingFor::Person(format!(
                            "{color} is gone and neither a checkpoint nor a savepoint of it is known; name one in \
                             job.initialSavepointPath with a new job.savepointRedeployNonce, or change \
                             job.upgradeMode to stateless"
                        ))),
                    );
                }
            }
        }
    };
    // Suspended with its state by now, it need not be created so first, only to be resumed.
    let reconciled = if job.state == Some(JobState::Suspended) {
        &Specification::new(rebuild::running((**reconciled).clone()))
    } else {
        reconciled
    };
    let message = match &known {
        Some(path) => format!("{color} was gone; it is created again from {path}"),
        None => format!("{color} was gone; it is created again without state (upgradeMode stateless)"),
    };
    let older = known.is_some() && view.side(color).checkpoint.is_absent();
    let record = view.begin(
        None,
        color,
        TransitionCause::ActiveChildGone,
        reconciled,
        known,
        view.creating(),
    );
    let record = if older {
        record.lowered("it goes on from a savepoint: what was written since may come twice")
    } else {
        record
    };
    Verdict::next(record, Event::warning("ActiveChildGone", message))
}

/// The active child is gone, and the user has said by an edit what is to run in its place: from a savepoint that is named
/// with a new nonce, or without state.
fn recreate_as_told(
    view: &View<'_>,
    color: Color,
    reconciled: &Specification,
    valid: &ValidSpec,
) -> Option<Verdict> {
    let redeploy = diff::compare(reconciled, &valid.spec).kind == DiffKind::SavepointRedeploy;
    let (restore, message) = if redeploy {
        let path = valid.job.initial_savepoint_path.clone()?;
        let message =
            format!("{color} was gone; it is created again from {path}, as savepointRedeployNonce asks");
        (Some(path), message)
    } else if valid.job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless {
        let message = format!("{color} was gone; it is created again without state (upgradeMode stateless)");
        (None, message)
    } else {
        return None;
    };
    if failed::is_set_aside(view, &valid.spec) {
        return None;
    }
    let record = view.begin(
        None,
        color,
        TransitionCause::ActiveChildGone,
        &Specification::new(valid.spec.clone()),
        restore,
        view.creating(),
    );
    let record = if redeploy {
        record.lowered("it goes on from the savepoint that was named: what was written since may come twice")
    } else {
        record
    };
    Some(Verdict::next(record, Event::warning("ActiveChildGone", message)))
}
