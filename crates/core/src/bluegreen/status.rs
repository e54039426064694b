//! The status that a record is written as: upstream's fields, Sluice's own, and the conditions.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use sluice_api::JobState;
use sluice_api::blue_green::{FlinkBlueGreenDeploymentStatus, TransitionMode, WireTime};
use sluice_api::flink_deployment::{FlinkJobState, JobStatus};

use super::decision::{Waiting, WaitingFor};
use super::record::{State, Step, wire_state};
use super::view::{Mine, View};
use super::{child, diff, watermark};
use crate::{Fact, fields};

/// The status as it shall stand; `None` if it stands so already.
pub fn write(
    view: &View<'_>,
    waiting: Option<&Waiting>,
    blocked: bool,
) -> Option<Box<FlinkBlueGreenDeploymentStatus>> {
    let none = FlinkBlueGreenDeploymentStatus::default();
    let previous = view.resource().status.as_ref().unwrap_or(&none);
    let record = &view.record;
    let mut status = FlinkBlueGreenDeploymentStatus {
        job_status: Some(JobStatus {
            state: Some(job_state(view, blocked)),
            ..previous.job_status.clone().unwrap_or_default()
        }),
        blue_green_state: Some(wire_state(record)),
        last_reconciled_spec: record.reconciled.as_ref().map(|spec| spec.text().to_owned()),
        last_reconciled_timestamp: previous.last_reconciled_timestamp,
        abort_timestamp: WireTime(None),
        deployment_ready_timestamp: WireTime(None),
        savepoint_trigger_id: None,
        error: error(view, waiting, blocked),
        active: record.active(),
        observed_generation: view.resource().metadata.generation,
        conditions: Vec::new(),
        transition_number: Some(record.number),
        transition: None,
        failed: record.failed.clone(),
        kept: record.kept.clone(),
        savepoints: record.savepoints.clone(),
        sink_epoch: record.sink_epoch,
        acknowledged: (record.acknowledged != sluice_api::blue_green::AcknowledgedStatus::default())
            .then(|| record.acknowledged.clone()),
        rival: None,
        history: record.history.clone(),
        extra: previous.extra.clone(),
    };
    if let State::InTransition(transition) = &record.state {
        status.transition = Some(transition.write());
        match &transition.step {
            Step::Savepointing { trigger_id, .. } => status.savepoint_trigger_id = Some(trigger_id.clone()),
            Step::Creating { deadline, .. }
            | Step::Warming { deadline, .. }
            | Step::Deploying { deadline, .. }
            | Step::InPlace { deadline, .. }
            | Step::Returning { deadline, .. } => status.abort_timestamp = WireTime(Some(*deadline)),
            Step::AwaitingPromotion { since } => status.deployment_ready_timestamp = WireTime(Some(*since)),
            Step::Switching { ready_at, .. } => status.deployment_ready_timestamp = WireTime(Some(*ready_at)),
            Step::HandingOver { .. } => {
                status.abort_timestamp = WireTime(watermark::awaited(view, transition).and_then(|it| it.1));
            }
            Step::Savepointed { .. } | Step::Stopping { .. } | Step::Sealing { .. } => {}
        }
    }
    status.conditions = conditions(view, waiting, blocked, &previous.conditions);
    if status == *previous {
        return None;
    }
    status.last_reconciled_timestamp = WireTime(Some(view.now));
    Some(Box::new(status))
}

fn job_state(view: &View<'_>, blocked: bool) -> FlinkJobState {
    match &view.record.state {
        State::InTransition(_) => FlinkJobState::Reconciling,
        State::Initializing if view.record.failed.is_some() || blocked => FlinkJobState::Failing,
        State::Initializing if view.wants_suspended() => FlinkJobState::Suspended,
        State::Initializing => FlinkJobState::Reconciling,
        State::Active(_) if view.record.failed.is_some() || blocked => FlinkJobState::Failing,
        State::Active(_) if reconciled_is_suspended(view) => FlinkJobState::Suspended,
        State::Active(_) => FlinkJobState::Running,
    }
}

fn reconciled_is_suspended(view: &View<'_>) -> bool {
    let reconciled = view.record.reconciled.as_ref();
    reconciled.is_some_and(|spec| fields::job_state(&diff::child_spec(spec)) == JobState::Suspended)
}

fn error(view: &View<'_>, waiting: Option<&Waiting>, blocked: bool) -> Option<String> {
    if let Err(problems) = &view.spec {
        let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Some(child::shortened(&list.join("; ")));
    }
    if blocked && let Some(waiting) = waiting {
        return Some(format!("waiting for {}", waiting.what));
    }
    if let State::InTransition(transition) = &view.record.state {
        if let Step::Returning { message, .. } = &transition.step {
            return Some(message.clone());
        }
        return view.observed.failures.last().map(|why| child::shortened(why));
    }
    view.record.failed.as_ref().map(|failed| failed.message.clone())
}

/// One condition before its times are known.
struct Draft {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
}

fn conditions(
    view: &View<'_>,
    waiting: Option<&Waiting>,
    blocked: bool,
    previous: &[Condition],
) -> Vec<Condition> {
    [
        available(view),
        progressing(view, waiting, blocked),
        degraded(view, waiting, blocked),
        spec_valid(view),
        handover_ready(view),
    ]
    .into_iter()
    .map(|draft| finished(draft, view, previous))
    .collect()
}

/// The transition time moves only when the status flips, and has whole seconds, as Kubernetes' conventions ask.
fn finished(draft: Draft, view: &View<'_>, previous: &[Condition]) -> Condition {
    let before = previous.iter().find(|condition| condition.type_ == draft.kind);
    let last_transition_time = match before {
        Some(before) if before.status == draft.status => before.last_transition_time.clone(),
        Some(_) | None => Time(whole_seconds(view.now)),
    };
    Condition {
        type_: draft.kind.to_owned(),
        status: draft.status.to_owned(),
        reason: draft.reason.to_owned(),
        message: draft.message,
        observed_generation: view.resource().metadata.generation,
        last_transition_time,
    }
}

pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn available(view: &View<'_>) -> Draft {
    let (status, reason, message) = match view.record.active() {
        None => (
            "False",
            "NotDeployed",
            "no deployment has been ready yet".to_owned(),
        ),
        Some(color) => match view.mine(color) {
            Mine::Present(active) if child::job_is_running(active) => {
                ("True", "JobRunning", format!("{color} serves"))
            }
            Mine::Present(active) if child::is_suspended(active) => {
                ("False", "Suspended", format!("{color} is suspended"))
            }
            Mine::Present(active) => (
                "False",
                "JobNotRunning",
                format!("{color} does not run: {}", child::describe(active)),
            ),
            Mine::Absent | Mine::Terminating | Mine::Foreign => {
                ("False", "ChildMissing", format!("{color} is not there"))
            }
            Mine::Unknown(_) => ("Unknown", "NotObserved", format!("{color} could not be read")),
        },
    };
    Draft {
        kind: "Available",
        status,
        reason,
        message,
    }
}

/// The name of the step, as the reason of `Progressing`.
pub const fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Savepointing { .. } => "Savepointing",
        Step::Savepointed { .. } => "Savepointed",
        Step::Stopping { .. } => "Stopping",
        Step::Creating { .. } => "Creating",
        Step::Warming { .. } => "Warming",
        Step::Deploying { .. } => "Deploying",
        Step::HandingOver { .. } => "HandingOver",
        Step::Sealing { .. } => "Sealing",
        Step::AwaitingPromotion { .. } => "AwaitingPromotion",
        Step::Switching { .. } => "Switching",
        Step::InPlace { .. } => "InPlace",
        Step::Returning { .. } => "Returning",
    }
}

fn progressing(view: &View<'_>, waiting: Option<&Waiting>, blocked: bool) -> Draft {
    let awaited = waiting.map_or("the next step".to_owned(), |waiting| match waiting.until {
        Some(until) => format!("{} until {until:.0}", waiting.what),
        None => waiting.what.to_string(),
    });
    let (status, reason, message) = match &view.record.state {
        State::InTransition(transition) => {
            let mut message = format!("waiting for {awaited}");
            if view.wants_suspended() && !matches!(transition.step, Step::InPlace { .. }) {
                message.push_str("; suspending waits until the transition is over");
            }
            ("True", step_name(&transition.step), message)
        }
        State::Initializing | State::Active(_) if blocked => {
            ("False", "Blocked", format!("waiting for {awaited}"))
        }
        State::Initializing | State::Active(_) if view.record.failed.is_some() => (
            "False",
            "SetAside",
            "the specification failed and is not tried again until it changes or is retried".to_owned(),
        ),
        State::Initializing if view.spec.is_ok() && !view.wants_suspended() => {
            ("True", "Initializing", "the first deployment begins".to_owned())
        }
        State::Initializing | State::Active(_) => ("False", "Settled", String::new()),
    };
    Draft {
        kind: "Progressing",
        status,
        reason,
        message,
    }
}

fn degraded(view: &View<'_>, waiting: Option<&Waiting>, blocked: bool) -> Draft {
    let draft = |reason, message| Draft {
        kind: "Degraded",
        status: "True",
        reason,
        message,
    };
    if let State::InTransition(transition) = &view.record.state
        && let Step::Returning { message, .. } = &transition.step
    {
        return draft("TransitionAborted", message.clone());
    }
    if let Some(failed) = &view.record.failed {
        let mut message = failed.message.clone();
        if let Some(beside) = writes_beside(view) {
            message = format!("{message}; {beside}");
        }
        return draft("TransitionAborted", message);
    }
    if blocked && let Some(waiting) = waiting {
        return draft("Blocked", format!("waiting for {}", waiting.what));
    }
    if let Some(beside) = writes_beside(view) {
        return draft("FailedDeploymentKept", beside);
    }
    if let Fact::Present(ingress) = &view.observed.ingress
        && view.resource().spec.ingress.is_some()
        && view.settings.ingress_manage
        && !child::is_owned(&ingress.metadata, view.resource())
    {
        let name = child::name(view.resource());
        return draft(
            "IngressConflict",
            format!("an Ingress {name} exists that does not belong to this resource; it is not touched"),
        );
    }
    Draft {
        kind: "Degraded",
        status: "False",
        reason: "AsExpected",
        message: String::new(),
    }
}

/// A kept deployment whose job runs writes beside the active one (BASIC).
fn writes_beside(view: &View<'_>) -> Option<String> {
    let kept = view.record.kept.as_ref()?;
    let present = view.present(kept.color)?;
    Some(if child::job_is_running(present) {
        format!(
            "the kept {} deployment runs and writes beside the active one",
            kept.color
        )
    } else {
        format!("the failed {} deployment is kept for debugging", kept.color)
    })
}

fn spec_valid(view: &View<'_>) -> Draft {
    match &view.spec {
        Ok(_) => Draft {
            kind: "SpecValid",
            status: "True",
            reason: "Valid",
            message: String::new(),
        },
        Err(problems) => {
            let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let message = child::shortened(&list.join("; "));
            Draft {
                kind: "SpecValid",
                status: "False",
                reason: "Invalid",
                message,
            }
        }
    }
}

fn handover_ready(view: &View<'_>) -> Draft {
    let is_by_watermark = || {
        let spec = view.spec.as_ref();
        spec.is_ok_and(|valid| watermark::is_wanted(&valid.child))
    };
    let awaited = match &view.record.state {
        State::InTransition(transition) if matches!(transition.step, Step::HandingOver { .. }) => {
            watermark::awaited(view, transition)
        }
        State::InTransition(_) | State::Active(_) | State::Initializing => None,
    };
    let (status, reason, message) = match (view.settings.transition_mode, awaited) {
        (TransitionMode::Basic, _) => ("Unknown", "NotApplicable", "transitionMode is BASIC".to_owned()),
        (TransitionMode::Advanced, Some((what, _))) => ("False", "Awaited", format!("waiting for {what}")),
        (TransitionMode::Advanced, None) if is_by_watermark() => (
            "True",
            "StrategyWatermark",
            "both jobs run, and the incoming one takes over at a cut in event time".to_owned(),
        ),
        (TransitionMode::Advanced, None) => (
            "True",
            "StrategySavepoint",
            "the outgoing job is stopped with a savepoint and the incoming one goes on from it".to_owned(),
        ),
    };
    Draft {
        kind: "HandoverReady",
        status,
        reason,
        message,
    }
}

/// What the record's step waits for.
pub fn awaited(view: &View<'_>) -> Option<Waiting> {
    let State::InTransition(transition) = &view.record.state else {
        return None;
    };
    let to = transition.to;
    let from = transition.from.unwrap_or(to.other());
    let waiting = |what, since, until| {
        Some(Waiting {
            what,
            since: Some(since),
            until,
        })
    };
    match &transition.step {
        Step::Savepointing { since, deadline, .. } => {
            waiting(WaitingFor::Savepoint(from), *since, Some(*deadline))
        }
        Step::Savepointed { .. } => None,
        Step::Stopping { since, deadline } => waiting(WaitingFor::Stopped(from), *since, Some(*deadline)),
        Step::Creating { since, deadline } => {
            let what = match view.mine(to) {
                Mine::Present(present) if child::transition(present) == transition.number => {
                    WaitingFor::Created(to)
                }
                Mine::Present(_) | Mine::Terminating => WaitingFor::LeftoverGone(to),
                Mine::Absent | Mine::Unknown(_) | Mine::Foreign => WaitingFor::Created(to),
            };
            waiting(what, *since, Some(*deadline))
        }
        Step::Warming { since, deadline } => waiting(WaitingFor::Warm(to), *since, Some(*deadline)),
        Step::Deploying { since, deadline } => waiting(WaitingFor::Ready(to), *since, Some(*deadline)),
        Step::HandingOver { since } | Step::Sealing { since, .. } => {
            let (what, until) = watermark::awaited(view, transition)?;
            waiting(WaitingFor::Handover(what), *since, until)
        }
        Step::AwaitingPromotion { since } => waiting(WaitingFor::Promotion(to), *since, None),
        Step::Switching {
            since, delete_after, ..
        } => {
            if view.present(to).is_none() {
                waiting(WaitingFor::Created(to), *since, None)
            } else if !view.ingress_leads_to(&transition.spec, to) {
                waiting(WaitingFor::Ingress(to), *since, None)
            } else if view.now < *delete_after {
                waiting(WaitingFor::DeletionDelay(from), *since, Some(*delete_after))
            } else {
                // In a first deployment nothing has to go.
                transition.from?;
                waiting(WaitingFor::Gone(from), *since, None)
            }
        }
        Step::InPlace { since, deadline } => waiting(WaitingFor::Changed(to), *since, Some(*deadline)),
        Step::Returning { since, deadline, .. } => {
            waiting(WaitingFor::Returned(from), *since, Some(*deadline))
        }
    }
}
