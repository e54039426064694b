//! Edits while a transition is under way, before its point of no return.
//!
//! The last edit wins, with a fresh deadline and fresh readiness (scenario 39). The incoming child is made anew from the
//! transition's own savepoint rather than patched: patched, it would carry on with its own state (FLINK-41404). An edit that
//! goes back to what the active child runs ends the transition. SUSPEND waits until the transition is over.

use sluice_api::UpgradeMode;
use sluice_api::blue_green::{AbortReason, TransitionCause, TransitionMode};
use sluice_api::validation::ValidSpec;

use super::decision::{Waiting, WaitingFor};
use super::diff::{self, DiffKind};
use super::record::{Step, Transition};
use super::specification::Specification;
use super::view::{Verdict, View};
use super::{abort, child, incoming, status, watermark};
use crate::Event;

/// Takes an edit into the transition under way.
pub fn retarget(view: &View<'_>) -> Option<Verdict> {
    let transition = view.transition()?;
    let valid = view.spec.as_ref().ok()?;
    if view.wants_suspended() || transition.cause == TransitionCause::ActiveChildGone {
        return None;
    }
    let current = &transition.spec;
    if **current == valid.spec {
        return None;
    }
    if transition.watermark.is_some() {
        return retarget_handover(view, transition, valid);
    }
    let incoming_is_there = match transition.step {
        Step::Switching { .. }
        | Step::InPlace { .. }
        | Step::Returning { .. }
        | Step::HandingOver { .. }
        | Step::Sealing { .. } => return None,
        Step::Savepointing { .. } | Step::Savepointed { .. } | Step::Stopping { .. } => false,
        Step::Creating { .. } => view
            .present(transition.to)
            .is_some_and(|incoming| child::transition(incoming) == transition.number),
        Step::Warming { .. } | Step::Deploying { .. } | Step::AwaitingPromotion { .. } => true,
    };
    let since_reconciled = view
        .record
        .reconciled
        .as_ref()
        .map(|reconciled| diff::compare(reconciled, &valid.spec).kind);
    if transition.from.is_some() && since_reconciled == Some(DiffKind::Ignore) {
        return reverted(view, transition);
    }
    let cause = cause(transition, since_reconciled);
    if lacks_state(transition, cause, valid) {
        // Nothing was taken that the edit could start from, so it begins a transition of its own, with a savepoint.
        let message =
            "the edit needs the state of the active job, and this transition has not taken it".to_owned();
        return Some(abort::abort(view, transition, AbortReason::Superseded, message));
    }
    let change = diff::compare(current, &valid.spec);
    if change.kind == DiffKind::Ignore {
        // Configuration or Ingress only; they apply by themselves.
        return Some(adopt(
            view,
            transition,
            valid,
            transition.step.clone(),
            Vec::new(),
        ));
    }
    let other_start = transition.from.is_none()
        && change
            .changes
            .iter()
            .any(|change| change.path == "job.initialSavepointPath");
    if change.kind == DiffKind::PatchChild && !other_start {
        let step = match &transition.step {
            Step::Deploying { .. } => view.deploying(),
            Step::Warming { .. }
            | Step::Savepointing { .. }
            | Step::Savepointed { .. }
            | Step::Stopping { .. }
            | Step::Creating { .. }
            | Step::HandingOver { .. }
            | Step::Sealing { .. }
            | Step::AwaitingPromotion { .. }
            | Step::Switching { .. }
            | Step::InPlace { .. }
            | Step::Returning { .. } => transition.step.clone(),
        };
        let event = Event::normal(
            "SpecChanged",
            format!("the edit is applied to {} in place", transition.to),
        );
        return Some(adopt(view, transition, valid, step, vec![event]));
    }
    if incoming_is_there && transition.mode == TransitionMode::Advanced && !transition.holds_incoming() {
        // The incoming job may have written already, and only its own state says how far. So it is stopped first, the
        // outgoing version comes back from where it was, and the edit begins a transition of its own.
        let message = format!("the specification changed while {} was coming up", transition.to);
        return Some(abort::abort(view, transition, AbortReason::Superseded, message));
    }
    Some(start_over(view, transition, valid, cause))
}

/// The same for a handover at a cut in event time. It is given up for the edit as long as it can be: the incoming job was forked off
/// for another specification, and where the cut is depends on when.
fn retarget_handover(view: &View<'_>, transition: &Transition, valid: &ValidSpec) -> Option<Verdict> {
    let change = diff::compare(&transition.spec, &valid.spec).kind;
    let reconciled = view.record.reconciled.as_ref()?;
    let is_reverted = diff::compare(reconciled, &valid.spec).kind == DiffKind::Ignore;
    let as_it_is = || {
        let step = transition.step.clone();
        Some(adopt(view, transition, valid, step, Vec::new()))
    };
    match transition.step {
        // It is taken to its end, so that it can be listed, and disposed of one day.
        Step::Savepointing { .. } if is_reverted => None,
        Step::Savepointing { .. } | Step::Savepointed { .. }
            if !is_reverted && change == DiffKind::Ignore =>
        {
            as_it_is()
        }
        Step::Savepointing { .. } | Step::Savepointed { .. } if is_reverted => reverted(view, transition),
        Step::Savepointing { .. } | Step::Savepointed { .. } => {
            let message = "the specification changed while its savepoint was taken".to_owned();
            Some(abort::abort(view, transition, AbortReason::Superseded, message))
        }
        Step::HandingOver { .. } if watermark::may_be_committed(view, transition) => None,
        Step::HandingOver { .. } if watermark::is_being_given_up(transition) => None,
        Step::HandingOver { .. } if is_reverted => Some(watermark::give_up(
            view,
            transition,
            AbortReason::Reverted,
            "the specification is the active one again",
        )),
        Step::HandingOver { .. } if change == DiffKind::Ignore => as_it_is(),
        Step::HandingOver { .. } => Some(watermark::give_up(
            view,
            transition,
            AbortReason::Superseded,
            &format!("the specification changed while {} was coming up", transition.to),
        )),
        Step::Sealing { .. }
        | Step::Switching { .. }
        | Step::Stopping { .. }
        | Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::AwaitingPromotion { .. }
        | Step::InPlace { .. }
        | Step::Returning { .. } => None,
    }
}

fn adopt(
    view: &View<'_>,
    transition: &Transition,
    valid: &ValidSpec,
    step: Step,
    events: Vec<Event>,
) -> Verdict {
    let record = view.record.with_transition(Transition {
        spec: Specification::new(valid.spec.clone()),
        step,
        ..transition.clone()
    });
    Verdict {
        record,
        events,
        blocked: None,
    }
}

/// Why the transition goes on, once it brings the edit: a redeployment is one as long as its nonce differs.
fn cause(transition: &Transition, since_reconciled: Option<DiffKind>) -> TransitionCause {
    match since_reconciled {
        Some(DiffKind::SavepointRedeploy) => TransitionCause::SavepointRedeploy,
        _ if transition.cause == TransitionCause::SavepointRedeploy => TransitionCause::SpecChanged,
        _ => transition.cause,
    }
}

/// Whether the edit wants the active job's state, and the transition went on without it: stateless, or from what the user
/// had named (BASIC; in ADVANCED the outgoing job is always stopped with its state).
fn lacks_state(transition: &Transition, cause: TransitionCause, valid: &ValidSpec) -> bool {
    let past_savepoint = matches!(
        transition.step,
        Step::Creating { .. } | Step::Deploying { .. } | Step::AwaitingPromotion { .. }
    );
    let stateful = valid.job.upgrade_mode.unwrap_or_default() != UpgradeMode::Stateless;
    let taken = transition.cause != TransitionCause::SavepointRedeploy
        && (transition.savepoint.is_some() || transition.restore.is_some());
    past_savepoint
        && stateful
        && !taken
        && transition.from.is_some()
        && transition.mode == TransitionMode::Basic
        && cause != TransitionCause::SavepointRedeploy
}

/// The transition goes on with another specification; a child of the earlier one is replaced by a new object.
fn start_over(
    view: &View<'_>,
    transition: &Transition,
    valid: &ValidSpec,
    cause: TransitionCause,
) -> Verdict {
    let mut next = Transition {
        spec: Specification::new(valid.spec.clone()),
        cause,
        ..transition.clone()
    };
    let mut record = view.record.clone();
    if matches!(
        transition.step,
        Step::Creating { .. }
            | Step::Warming { .. }
            | Step::Deploying { .. }
            | Step::AwaitingPromotion { .. }
    ) {
        // A new number: the child of the earlier specification is told from the one that is wanted now.
        record.number = record.number.saturating_add(1);
        next.number = record.number;
        next.step = view.creating();
        next.incoming_created_at = None;
    } else if transition.warm && matches!(transition.step, Step::Stopping { .. }) {
        // The cluster that waits was made for the earlier specification. The outgoing job is being stopped already, so
        // that of this one is no longer brought up first.
        record.number = record.number.saturating_add(1);
        next.number = record.number;
        next.warm = false;
        next.incoming_created_at = None;
    }
    next.restore = if transition.from.is_some() {
        restore(&next, valid)
    } else {
        match incoming::first_deployment_edited(view, transition, valid) {
            Ok(restore) => restore,
            Err(why) => {
                let what = WaitingFor::Observation(format!(
                    "the last completed checkpoint of {} could not be learnt: {why}",
                    transition.to
                ));
                let waiting = Waiting {
                    what,
                    ..status::awaited(view).unwrap_or(Waiting::observation(why))
                };
                return Verdict::blocked(view, waiting);
            }
        }
    };
    let message = format!("the edit is taken into the transition to {}", transition.to);
    Verdict::next(
        record.with_transition(next),
        Event::normal("SpecChanged", message),
    )
}

/// What an incoming job that replaces another starts from under the specification as it is now.
pub fn restore(transition: &Transition, valid: &ValidSpec) -> Option<String> {
    let stateless = valid.job.upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless;
    if transition.cause == TransitionCause::SavepointRedeploy {
        valid.job.initial_savepoint_path.clone()
    } else if stateless && transition.mode == TransitionMode::Basic {
        None
    } else {
        transition
            .savepoint
            .clone()
            .or_else(|| transition.restore.clone())
    }
}

/// The specification is again what the active child runs: there is nothing to do any more.
fn reverted(view: &View<'_>, transition: &Transition) -> Option<Verdict> {
    match transition.step {
        // It is taken to its end, so that it can be listed, and disposed of one day; nothing else comes of it (R6).
        Step::Savepointing { .. } => None,
        Step::Savepointed { .. }
        | Step::Stopping { .. }
        | Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::AwaitingPromotion { .. } => Some(abort::abort(
            view,
            transition,
            AbortReason::Reverted,
            "the specification is the active one again".to_owned(),
        )),
        Step::HandingOver { .. }
        | Step::Sealing { .. }
        | Step::Switching { .. }
        | Step::InPlace { .. }
        | Step::Returning { .. } => None,
    }
}
