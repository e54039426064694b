//! The laws of the blue/green controller, as pure checks over what was observed and what was decided.
//!
//! They know nothing of how a decision is made. Every test uses them, and so do the running shells: a violation is logged
//! and counted, and nothing of the decision is carried out.

use std::fmt;

use jiff::Timestamp;
use sluice_api::blue_green::{Color, FailedDeploymentPolicy, FlinkBlueGreenDeploymentStatus, TransitionMode};
use sluice_api::{FlinkDeployment, JobState};

use super::decision::{Decision, Effect};
use super::observed::Observed;
use super::record::{self, Record, State, Step, Transition};
use super::view::View;
use super::{child, decide, diff, named, rival, waiting, watermark};
use crate::{Wake, fields};

/// A law that a decision breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What breaks it.
    pub detail: String,
}

/// The laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// The serving child is never deleted by a transition, and suspended only where its user or the strategy SAVEPOINT
    /// asks for it.
    ServingChildStays,
    /// A restore path comes from the child that is replaced, or from the user.
    RestorePathHasASource,
    /// No effect on an object that is not the resource's own.
    OnlyOwnObjects,
    /// A deadline exactly where something is awaited that can come by itself.
    DeadlineWhereAwaited,
    /// What is done stands in the record that is written before it.
    RecordBeforeEffect,
    /// Two children that write are never made to run at once by strategy SAVEPOINT.
    OneWriter,
    /// An event is told only with a change of the status.
    EventsAreRecorded,
    /// Deciding once more on the same, with the record written, changes nothing.
    SecondLookChangesNothing,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.detail)
    }
}

/// Everything that is wrong with a decision; empty if nothing is.
pub fn check(observed: &Observed, decision: &Decision, now: Timestamp) -> Vec<Violation> {
    let empty = FlinkBlueGreenDeploymentStatus::default();
    let before = observed.resource.status.as_ref().unwrap_or(&empty);
    let after = decision.status.as_deref().unwrap_or(before);
    let record = record::read(after).unwrap_or_default();
    let mut violations = Vec::new();
    for effect in &decision.effects {
        serving_child_stays(observed, &record, effect, &mut violations);
        restore_path_has_a_source(observed, &record, effect, &mut violations);
        only_own_objects(observed, effect, &mut violations);
        record_before_effect(observed, &record, effect, now, &mut violations);
        one_writer(observed, &record, effect, &mut violations);
    }
    if after.rival.is_none() && !rival::is_there(observed) {
        deadline_where_awaited(&record, decision, now, &mut violations);
    } else if !decision.effects.is_empty() {
        broken(
            &mut violations,
            Law::OnlyOwnObjects,
            "another operator writes to this resource, and something is done with it",
        );
    }
    second_look_changes_nothing(observed, decision, now, &mut violations);
    if !decision.events.is_empty() && decision.status.is_none() {
        violations.push(Violation {
            law: Law::EventsAreRecorded,
            detail: "an event is told though the status does not change".to_owned(),
        });
    }
    violations
}

/// Where the record has moved, the next look comes at once and may go on.
fn second_look_changes_nothing(
    observed: &Observed,
    decision: &Decision,
    now: Timestamp,
    violations: &mut Vec<Violation>,
) {
    let Some(status) = decision.status.as_ref().filter(|_| decision.wake != Wake::Now) else {
        return;
    };
    let mut again = observed.clone();
    again.resource.status = Some(status.as_ref().clone());
    let second = decide(&again, now);
    if second.status.is_some() || second.effects != decision.effects || !second.events.is_empty() {
        broken(
            violations,
            Law::SecondLookChangesNothing,
            "the same observation is decided on differently once the record is written",
        );
    }
}

fn broken(violations: &mut Vec<Violation>, law: Law, detail: impl Into<String>) {
    violations.push(Violation {
        law,
        detail: detail.into(),
    });
}

fn color_of(observed: &Observed, name: &str) -> Option<Color> {
    let parent = child::name(&observed.resource);
    Color::BOTH
        .into_iter()
        .find(|color| color.child_name(parent) == name)
}

fn transition(record: &Record) -> Option<&Transition> {
    match &record.state {
        State::InTransition(transition) => Some(transition),
        State::Initializing | State::Active(_) => None,
    }
}

fn serving_child_stays(
    observed: &Observed,
    record: &Record,
    effect: &Effect,
    violations: &mut Vec<Violation>,
) {
    match effect {
        Effect::DeleteChild { name, .. } if color_of(observed, name) == record.active() => {
            broken(
                violations,
                Law::ServingChildStays,
                format!("{name} serves and is deleted"),
            );
        }
        Effect::ReplaceChild { manifest } => {
            let name = manifest.metadata.name.clone().unwrap_or_default();
            let color = color_of(observed, &name);
            let before = color.and_then(|color| observed.side(color).child.present());
            let suspends = fields::job_state(&manifest.spec) == JobState::Suspended
                && before.is_none_or(|before| fields::job_state(&before.spec) == JobState::Running);
            if !suspends || color != record.active() {
                return;
            }
            let asked_by_user = match &record.state {
                State::InTransition(transition) => {
                    fields::job_state(&diff::child_spec(&transition.spec)) == JobState::Suspended
                }
                State::Active(_) | State::Initializing => record
                    .reconciled
                    .as_ref()
                    .is_some_and(|spec| fields::job_state(&diff::child_spec(spec)) == JobState::Suspended),
            };
            let by_strategy = transition(record).is_some_and(|transition| {
                transition.mode == TransitionMode::Advanced
                    && matches!(transition.step, Step::Stopping { .. })
            });
            if !asked_by_user && !by_strategy {
                broken(
                    violations,
                    Law::ServingChildStays,
                    format!("{name} serves and is suspended"),
                );
            }
        }
        Effect::StopDrained {
            child, trigger_id, ..
        } => {
            let outgoing = transition(record).and_then(|it| it.from);
            let is_sealing =
                transition(record).is_some_and(|transition| matches!(transition.step, Step::Sealing { .. }));
            let is_named = transition(record).is_some_and(|transition| {
                matches!(&transition.step, Step::Sealing { stop: Some(stop), .. } if stop.trigger_id == *trigger_id)
            });
            if !is_sealing || !is_named || color_of(observed, child) != outgoing {
                broken(
                    violations,
                    Law::ServingChildStays,
                    format!("{child} is stopped though it has not handed over"),
                );
            }
        }
        Effect::WriteHandover { .. }
        | Effect::DeleteChild { .. }
        | Effect::CreateChild { .. }
        | Effect::TriggerSavepoint { .. }
        | Effect::DisposeSavepoint { .. }
        | Effect::ApplyIngress { .. }
        | Effect::DeleteIngress { .. } => {}
    }
}

/// Everything that a child may be started from: what its user named, and the states of this resource's own jobs.
fn sources(observed: &Observed, record: &Record) -> Vec<String> {
    let mut known: Vec<String> = record
        .savepoints
        .iter()
        .map(|savepoint| savepoint.path.clone())
        .collect();
    known.extend(
        record
            .history
            .iter()
            .filter_map(|entry| entry.restored_from.clone()),
    );
    if let Some(transition) = transition(record) {
        known.extend(transition.savepoint.clone());
        known.extend(
            diff::child_spec(&transition.spec)
                .job
                .clone()
                .and_then(|job| job.initial_savepoint_path),
        );
        // What the transition was begun with was a checkpoint that had been observed, or what another operator chose.
        known.extend(transition.restore.clone());
    }
    for color in Color::BOTH {
        let side = observed.side(color);
        known.extend(
            side.checkpoint
                .present()
                .map(|checkpoint| checkpoint.path.clone()),
        );
        if let Some(present) = side.child.present() {
            known.extend(child::restored_from(present).map(str::to_owned));
            known.extend(child::upgrade_savepoint(present).map(str::to_owned));
        }
    }
    known
}

fn restore_path_has_a_source(
    observed: &Observed,
    record: &Record,
    effect: &Effect,
    violations: &mut Vec<Violation>,
) {
    let path = match effect {
        Effect::CreateChild { manifest } | Effect::ReplaceChild { manifest } => {
            child::restored_from(manifest)
        }
        Effect::WriteHandover { record, .. } => record.savepoint.as_deref(),
        Effect::DeleteChild { .. }
        | Effect::StopDrained { .. }
        | Effect::TriggerSavepoint { .. }
        | Effect::DisposeSavepoint { .. }
        | Effect::ApplyIngress { .. }
        | Effect::DeleteIngress { .. } => None,
    };
    if let Some(path) = path
        && !sources(observed, record).iter().any(|known| known == path)
    {
        broken(
            violations,
            Law::RestorePathHasASource,
            format!("nobody knows where {path} comes from"),
        );
    }
    let user_chose = transition(record).is_some_and(|transition| {
        transition.cause == sluice_api::blue_green::TransitionCause::SavepointRedeploy
    });
    if let Effect::WriteHandover { record: handover, .. } = effect
        && transition(record).is_some_and(|transition| {
            transition.from.is_some()
                && transition.watermark.is_none()
                && handover.active == named::incoming(transition)
        })
        && handover.savepoint.is_none()
        && !user_chose
    {
        broken(
            violations,
            Law::RestorePathHasASource,
            "a child that waits replaces another and begins from nothing",
        );
    }
    let Effect::CreateChild { manifest } = effect else {
        return;
    };
    let stateful = manifest
        .spec
        .job
        .as_ref()
        .and_then(|job| job.upgrade_mode)
        .unwrap_or_default()
        != sluice_api::UpgradeMode::Stateless;
    let replaces = record.reconciled.is_some();
    // One that waits is told what to start from when it may begin.
    let waits = waiting::awaits_savepoint(manifest);
    if stateful && replaces && !user_chose && !waits && child::restored_from(manifest).is_none() {
        broken(
            violations,
            Law::RestorePathHasASource,
            "a stateful child replaces another and starts from nothing",
        );
    }
}

fn only_own_objects(observed: &Observed, effect: &Effect, violations: &mut Vec<Violation>) {
    let own_child =
        |name: &str| color_of(observed, name).and_then(|color| observed.side(color).child.present());
    let check = |name: &str, uid: Option<&str>, violations: &mut Vec<Violation>| {
        let own = own_child(name).is_some_and(|present: &FlinkDeployment| {
            child::is_owned(&present.metadata, &observed.resource)
                && uid.is_none_or(|uid| present.metadata.uid.as_deref() == Some(uid))
        });
        if !own {
            broken(
                violations,
                Law::OnlyOwnObjects,
                format!("{name} is not the resource's own"),
            );
        }
    };
    match effect {
        Effect::DeleteChild { name, uid, .. } => check(name, Some(uid), violations),
        Effect::ReplaceChild { manifest } => {
            check(
                manifest.metadata.name.as_deref().unwrap_or_default(),
                manifest.metadata.uid.as_deref(),
                violations,
            );
        }
        Effect::TriggerSavepoint { child, .. }
        | Effect::StopDrained { child, .. }
        | Effect::DisposeSavepoint { child, .. } => {
            check(child, None, violations);
        }
        Effect::CreateChild { manifest } => {
            let name = manifest.metadata.name.as_deref().unwrap_or_default();
            if color_of(observed, name).is_none_or(|color| !observed.side(color).child.is_absent()) {
                broken(
                    violations,
                    Law::OnlyOwnObjects,
                    format!("{name} is created though it is not known to be absent"),
                );
            }
        }
        Effect::WriteHandover { .. } => {}
        Effect::ApplyIngress { .. } | Effect::DeleteIngress { .. } => {
            if let Some(present) = observed.ingress.present()
                && !child::is_owned(&present.metadata, &observed.resource)
            {
                broken(
                    violations,
                    Law::OnlyOwnObjects,
                    "the Ingress is not the resource's own",
                );
            }
        }
    }
}

fn record_before_effect(
    observed: &Observed,
    record: &Record,
    effect: &Effect,
    now: Timestamp,
    violations: &mut Vec<Violation>,
) {
    match effect {
        Effect::TriggerSavepoint { trigger_id, .. } => {
            let recorded = transition(record).is_some_and(|transition| {
                matches!(&transition.step, Step::Savepointing { trigger_id: recorded, .. } if recorded == trigger_id)
            });
            if !recorded {
                broken(
                    violations,
                    Law::RecordBeforeEffect,
                    "a savepoint is asked for that the record does not name",
                );
            }
        }
        Effect::CreateChild { manifest } => {
            // Past the point of no return the outgoing one comes back, too, as long as it has not written everything.
            let is_outgoing = |it: &Transition| {
                matches!(it.step, Step::Sealing { .. })
                    && it
                        .from
                        .map(|from| from.child_name(child::name(&observed.resource)))
                        == manifest.metadata.name
            };
            let recorded = transition(record)
                .is_some_and(|it| it.number == child::transition(manifest) || is_outgoing(it));
            if !recorded {
                broken(
                    violations,
                    Law::RecordBeforeEffect,
                    "a child is created that no recorded transition asks for",
                );
            }
        }
        Effect::WriteHandover { record: handover, .. } => {
            let may_begin = match transition(record) {
                Some(transition) if is_handed_over_at_a_cut(transition) => {
                    let view = View::new(observed, now, record.clone());
                    for violation in watermark::violations(&view, transition) {
                        broken(violations, Law::RecordBeforeEffect, violation);
                    }
                    true
                }
                // Nothing goes out, so nothing has to be stopped first.
                Some(transition) if transition.from.is_none() => {
                    handover.active == named::incoming(transition)
                }
                Some(transition) if handover.active == named::incoming(transition) => {
                    matches!(transition.step, Step::Deploying { .. } | Step::Switching { .. })
                        && transition.outgoing_stopped_at.is_some()
                }
                Some(transition) if Some(handover.active.color) == transition.from => {
                    matches!(transition.step, Step::Returning { .. })
                }
                Some(_) | None => Some(handover.active.color) == record.active(),
            };
            if !may_begin {
                broken(
                    violations,
                    Law::RecordBeforeEffect,
                    "a job is named that the record does not let begin",
                );
            }
        }
        Effect::ReplaceChild { .. }
        | Effect::DeleteChild { .. }
        | Effect::StopDrained { .. }
        | Effect::DisposeSavepoint { .. }
        | Effect::ApplyIngress { .. }
        | Effect::DeleteIngress { .. } => {}
    }
}

/// Whether the handover record is the business of the decider of handovers by WATERMARK, and its laws hold for it.
const fn is_handed_over_at_a_cut(transition: &Transition) -> bool {
    matches!(transition.step, Step::HandingOver { .. } | Step::Sealing { .. })
}

/// Strategy SAVEPOINT: the incoming child is created only where the outgoing job is stopped or it waits, let begin only where
/// the outgoing one is stopped, and the outgoing one resumed only where the incoming one is.
fn one_writer(observed: &Observed, record: &Record, effect: &Effect, violations: &mut Vec<Violation>) {
    let Some(transition) = transition(record) else {
        return;
    };
    if transition.mode != TransitionMode::Advanced {
        return;
    }
    if is_handed_over_at_a_cut(transition) {
        // Both jobs run; their gates see to it that each record is written by one of them, once they can know of the handover.
        if let Effect::CreateChild { .. } = effect
            && !watermark::has_begun(observed, transition)
        {
            broken(
                violations,
                Law::OneWriter,
                "a child is created before the handover record keeps its gates closed",
            );
        }
        return;
    }
    let may_run = |color: Color| match &observed.side(color).child {
        crate::Fact::Absent => false,
        crate::Fact::Unknown(_) => true,
        crate::Fact::Present(present) => !child::is_suspended(present),
    };
    match effect {
        Effect::CreateChild { manifest } => {
            let name = manifest.metadata.name.as_deref().unwrap_or_default();
            let waits = waiting::awaits_savepoint(manifest)
                && !matches!(
                    named::names(observed, named::incoming(transition)),
                    crate::Fact::Present(())
                );
            let outgoing_runs = transition.from.is_some_and(may_run) && !waits;
            if color_of(observed, name) == Some(transition.to) && outgoing_runs {
                broken(
                    violations,
                    Law::OneWriter,
                    format!("{name} is created while the outgoing job may run"),
                );
            }
        }
        Effect::ReplaceChild { manifest } => {
            let name = manifest.metadata.name.as_deref().unwrap_or_default();
            let resumes = fields::job_state(&manifest.spec) == JobState::Running;
            if color_of(observed, name) == transition.from && resumes && may_run(transition.to) {
                broken(
                    violations,
                    Law::OneWriter,
                    format!("{name} is resumed while the incoming job may run"),
                );
            }
        }
        Effect::WriteHandover { record, .. } => {
            let other_may_run = if record.active.color == transition.to {
                transition.from.is_some_and(may_run)
            } else {
                let began = named::names(observed, named::incoming(transition));
                !matches!(began, crate::Fact::Absent) && may_run(transition.to)
            };
            if other_may_run {
                broken(
                    violations,
                    Law::OneWriter,
                    format!("{} is named while the other job may run", record.active.color),
                );
            }
        }
        Effect::DeleteChild { .. }
        | Effect::StopDrained { .. }
        | Effect::TriggerSavepoint { .. }
        | Effect::DisposeSavepoint { .. }
        | Effect::ApplyIngress { .. }
        | Effect::DeleteIngress { .. } => {}
    }
}

fn deadline_where_awaited(
    record: &Record,
    decision: &Decision,
    now: Timestamp,
    violations: &mut Vec<Violation>,
) {
    let awaited = match &record.state {
        State::InTransition(transition) => record::deadline(&transition.step),
        State::Active(_) | State::Initializing => None,
    };
    let told = decision.waiting.as_ref().and_then(|waiting| waiting.until);
    if let Some(deadline) = awaited
        && told != Some(deadline)
    {
        broken(
            violations,
            Law::DeadlineWhereAwaited,
            format!("the record waits until {deadline}, the decision does not"),
        );
    }
    let settled = !matches!(record.state, State::InTransition(_));
    if settled && told.is_some() {
        broken(
            violations,
            Law::DeadlineWhereAwaited,
            "a deadline is told though nothing is awaited",
        );
    }
    let kept_for_ever = record
        .kept
        .as_ref()
        .is_some_and(|kept| kept.policy == FailedDeploymentPolicy::Keep && kept.delete_at.is_none());
    if let crate::Wake::At(at) = decision.wake
        && at < now
        && !kept_for_ever
    {
        broken(
            violations,
            Law::DeadlineWhereAwaited,
            format!("it would look again at {at}, which is past"),
        );
    }
}
