//! The record when the status does not hold one: a new resource, a lost or damaged status, another operator's status.
//!
//! Never start from nothing while any child exists (R1, R2, scenario 34): the record is rebuilt from the children.

use std::cmp::Ordering;

use jiff::Timestamp;
use sluice_api::blue_green::{
    BlueGreenState, Color, FailedDeploymentPolicy, FlinkBlueGreenDeploymentSpec,
    FlinkBlueGreenDeploymentStatus, FlinkDeploymentTemplate, KeptStatus, TransitionCause, TransitionMode,
    WatermarkStatus,
};
use sluice_api::{FlinkDeployment, JobState};

use super::decision::{Waiting, WaitingFor};
use super::observed::Observed;
use super::record::{self, Record, State, Step, Transition};
use super::specification::Specification;
use super::{agent, child, diff, prepared, watermark};
use crate::handover::{HandoverRecord, Phase};
use crate::{Event, Fact, fields};

/// The record, and what to tell if it had to be rebuilt. `Err`: what has to be observed first.
pub fn record(observed: &Observed, now: Timestamp) -> Result<(Record, Option<Event>), Waiting> {
    let empty = FlinkBlueGreenDeploymentStatus::default();
    let status = observed.resource.status.as_ref().unwrap_or(&empty);
    let read = record::read(status);
    if let Some((read, color)) = read.as_ref().and_then(without_reconciled) {
        return completed(observed, read, color);
    }
    if let Some(read) = &read
        && (read.state != State::Initializing || !has_unexpected_child(observed, read))
    {
        return Ok((read.clone(), None));
    }
    for color in Color::BOTH {
        if let Fact::Unknown(why) = &observed.side(color).child {
            return Err(Waiting::observation(format!("{color} could not be read: {why}")));
        }
    }
    let own = |color: Color| {
        observed.side(color).child.present().filter(|object| {
            child::is_owned(&object.metadata, &observed.resource) && !child::is_terminating(object)
        })
    };
    let mut rebuilt = read.unwrap_or_else(|| carried_over(status));
    let found = (own(Color::Blue), own(Color::Green));
    if !observed.unreadable.is_empty() && found != (None, None) {
        // What stands in the specification beside the jobs (the Ingress) would count as dropped.
        let problems: Vec<String> = observed.unreadable.iter().map(ToString::to_string).collect();
        return Err(Waiting::for_person(WaitingFor::Person(format!(
            "the status is lost and the specification cannot be read: {}",
            problems.join("; ")
        ))));
    }
    if let Fact::Present(seen) = &observed.handover {
        // A transition that no child tells of any more; the next one has to be newer.
        rebuilt.number = rebuilt.number.max(seen.record.epoch.0);
    }
    if let ((Some(blue), Some(green)), Fact::Unknown(why)) = (found, &observed.handover)
        && (watermark::has_gates(blue) || watermark::has_gates(green))
    {
        return Err(Waiting::observation(format!(
            "the handover record could not be read: {why}"
        )));
    }
    let event = match found {
        (None, None) => return Ok(none(observed, status, rebuilt)),
        (Some(only), None) => one(observed, now, status, &mut rebuilt, Color::Blue, only),
        (None, Some(only)) => one(observed, now, status, &mut rebuilt, Color::Green, only),
        (Some(blue), Some(green)) => handed_over(observed, now, &mut rebuilt, blue, green)
            .unwrap_or_else(|| two(observed, now, status, &mut rebuilt, blue, green)),
    };
    let active = rebuilt.active().and_then(own);
    rebuilt.sink_epoch = match &rebuilt.state {
        // Until it is over, the outgoing job's.
        State::InTransition(transition) => {
            let outgoing = transition.from.and_then(own).or(active);
            outgoing.map_or(0, prepared::sink_epoch)
        }
        State::Active(_) | State::Initializing => active.map_or(0, prepared::sink_epoch),
    };
    Ok((rebuilt, Some(event)))
}

/// A record whose transition replaces or changes an active child, though nothing says any more what that child was made
/// from; and that child's colour.
fn without_reconciled(read: &Record) -> Option<(&Record, Color)> {
    let State::InTransition(transition) = &read.state else {
        return None;
    };
    let in_place = matches!(transition.step, Step::InPlace { .. }).then_some(transition.to);
    let color = transition.from.or(in_place)?;
    read.reconciled.is_none().then_some((read, color))
}

/// Completes the record by what the active child is. If that is gone, too, only the transition's specification is left.
fn completed(observed: &Observed, read: &Record, color: Color) -> Result<(Record, Option<Event>), Waiting> {
    let child = match &observed.side(color).child {
        Fact::Unknown(why) => {
            let until = match &read.state {
                State::InTransition(transition) => record::deadline(&transition.step),
                State::Initializing | State::Active(_) => None,
            };
            return Err(Waiting {
                until,
                ..Waiting::observation(format!("{color} could not be read: {why}"))
            });
        }
        Fact::Absent => None,
        Fact::Present(object) => child::is_owned(&object.metadata, &observed.resource).then_some(object),
    };
    let mut record = read.clone();
    record.reconciled = match (child, &read.state) {
        (Some(object), _) => Some(Specification::new(running(spec_of(observed, object, color)))),
        (None, State::InTransition(transition)) => Some(transition.spec.clone()),
        (None, State::Initializing | State::Active(_)) => None,
    };
    let message =
        format!("the status did not say what {color} was made from; it is taken from {color} itself");
    Ok((record, Some(Event::warning("StatusRebuilt", message))))
}

/// The specification of a job that ran: a transition that is under way may have stopped it.
pub(super) fn running(mut spec: FlinkBlueGreenDeploymentSpec) -> FlinkBlueGreenDeploymentSpec {
    let job = spec
        .template
        .as_mut()
        .and_then(|template| template.spec.as_mut())
        .and_then(|spec| spec.job.as_mut());
    if let Some(job) = job {
        job.state = Some(JobState::Running);
    }
    spec
}

/// An INITIALIZING record is only true while no child is there but the one that an abort kept.
fn has_unexpected_child(observed: &Observed, read: &Record) -> bool {
    Color::BOTH
        .into_iter()
        .any(|color| match &observed.side(color).child {
            Fact::Unknown(_) => true,
            Fact::Absent => false,
            Fact::Present(object) => {
                child::is_owned(&object.metadata, &observed.resource)
                    && !child::is_terminating(object)
                    && read.kept.as_ref().is_none_or(|kept| kept.color != color)
            }
        })
}

/// What a damaged status still tells.
fn carried_over(status: &FlinkBlueGreenDeploymentStatus) -> Record {
    Record {
        number: status.transition_number.unwrap_or(0),
        savepoints: status.savepoints.clone(),
        acknowledged: status.acknowledged.clone().unwrap_or_default(),
        history: status.history.clone(),
        ..Record::new()
    }
}

/// No child is there. A resource that had one is not begun anew: its state is looked for (ACTIVE does that).
fn none(
    observed: &Observed,
    status: &FlinkBlueGreenDeploymentStatus,
    mut rebuilt: Record,
) -> (Record, Option<Event>) {
    let has_left_state = |color: Color| observed.side(color).checkpoint.present().is_some();
    let reconciled = status
        .last_reconciled_spec
        .as_deref()
        .and_then(Specification::read);
    let left_state = || Color::BOTH.into_iter().find(|color| has_left_state(*color));
    let served = match status.blue_green_state {
        Some(BlueGreenState::ActiveBlue | BlueGreenState::SavepointingBlue) => Some(Color::Blue),
        Some(BlueGreenState::ActiveGreen | BlueGreenState::SavepointingGreen) => Some(Color::Green),
        Some(BlueGreenState::TransitioningToBlue) if has_left_state(Color::Green) => Some(Color::Green),
        Some(BlueGreenState::TransitioningToGreen) if has_left_state(Color::Blue) => Some(Color::Blue),
        Some(BlueGreenState::TransitioningToGreen) => Some(Color::Green),
        // Upstream notes the specification before anything is deployed.
        Some(BlueGreenState::InitializingBlue) => left_state(),
        Some(BlueGreenState::TransitioningToBlue) | None => {
            left_state().or(reconciled.is_some().then_some(Color::Blue))
        }
    };
    let Some(color) = served else {
        rebuilt.state = State::Initializing;
        return (rebuilt, None);
    };
    rebuilt.state = State::Active(color);
    rebuilt.reconciled =
        Some(reconciled.unwrap_or_else(|| Specification::new(observed.resource.spec.clone())));
    let message = format!("the status was rebuilt: {color} was active, and it is gone");
    (rebuilt, Some(Event::warning("StatusRebuilt", message)))
}

fn one(
    observed: &Observed,
    now: Timestamp,
    status: &FlinkBlueGreenDeploymentStatus,
    rebuilt: &mut Record,
    color: Color,
    only: &FlinkDeployment,
) -> Event {
    rebuilt.number = rebuilt.number.max(child::transition(only));
    let spec = Specification::new(spec_of(observed, only, color));
    let coming_up = status.blue_green_state == Some(transitioning_to(color)) && !child::is_ready(only);
    if coming_up && fields::job_state(&only.spec) == JobState::Running {
        // A first deployment or a change in place, upstream's status does not say which: whatever comes of it, this child
        // holds all the state there is.
        rebuilt.state = State::InTransition(Box::new(taken_over(now, status, None, color, only, &spec)));
        rebuilt.reconciled = Some(spec);
        return Event::normal(
            "TakenOver",
            format!("the deployment of {color} under way is taken over"),
        );
    }
    rebuilt.state = State::Active(color);
    rebuilt.reconciled = Some(spec);
    Event::warning(
        "StatusRebuilt",
        format!("the status was rebuilt from the child that is there: {color} is active"),
    )
}

/// The two children of a handover at a cut in event time that can no longer be given up: the handover record knows.
fn handed_over(
    observed: &Observed,
    now: Timestamp,
    rebuilt: &mut Record,
    blue: &FlinkDeployment,
    green: &FlinkDeployment,
) -> Option<Event> {
    let record: &HandoverRecord = &observed.handover.present()?.record;
    let cut = match record.phase {
        Phase::Commit { cut } | Phase::Sealed { cut } => cut.0,
        Phase::Stable | Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Abort => return None,
    };
    let of = |color: Color| match color {
        Color::Blue => blue,
        Color::Green => green,
    };
    let (from, to) = (record.active.color, record.incoming_job()?.color);
    let number = child::transition(of(to));
    if Some(number) != record.incoming.map(|it| it.0)
        || child::transition(of(from)) != record.active.created_for.0
    {
        return None;
    }
    rebuilt.number = rebuilt.number.max(number);
    rebuilt.reconciled = Some(Specification::new(spec_of(observed, of(from), from)));
    let spec = Specification::new(spec_of(observed, of(to), to));
    let status = FlinkBlueGreenDeploymentStatus::default();
    rebuilt.state = State::InTransition(Box::new(Transition {
        cause: TransitionCause::SpecChanged,
        mode: TransitionMode::Advanced,
        step: Step::Sealing {
            since: now,
            cut: Some(cut),
            stop: None,
        },
        watermark: Some(WatermarkStatus {
            attempt: record.fork.map_or(0, |fork| fork.attempt.0),
            checkpoint: Some(record.fork.map_or(0, |fork| fork.checkpoint.0)),
            ..WatermarkStatus::default()
        }),
        ..taken_over(now, &status, Some(from), to, of(to), &spec)
    }));
    Some(Event::warning(
        "StatusRebuilt",
        format!("the status was rebuilt from the handover record: {to} takes over from {from}"),
    ))
}

fn two(
    observed: &Observed,
    now: Timestamp,
    status: &FlinkBlueGreenDeploymentStatus,
    rebuilt: &mut Record,
    blue: &FlinkDeployment,
    green: &FlinkDeployment,
) -> Event {
    rebuilt.number = rebuilt
        .number
        .max(child::transition(blue))
        .max(child::transition(green));
    let of = |color: Color| match color {
        Color::Blue => blue,
        Color::Green => green,
    };
    let incoming = Color::BOTH
        .into_iter()
        .find(|color| status.blue_green_state == Some(transitioning_to(*color)));
    if let Some(to) = incoming {
        let from = to.other();
        rebuilt.reconciled = Some(Specification::new(spec_of(observed, of(from), from)));
        let spec = Specification::new(spec_of(observed, of(to), to));
        rebuilt.state = State::InTransition(Box::new(taken_over(now, status, Some(from), to, of(to), &spec)));
        return Event::normal(
            "TakenOver",
            format!("the transition from {from} to {to} under way is taken over"),
        );
    }
    let active = match status.blue_green_state {
        Some(BlueGreenState::ActiveBlue | BlueGreenState::SavepointingBlue) => Color::Blue,
        Some(BlueGreenState::ActiveGreen | BlueGreenState::SavepointingGreen) => Color::Green,
        Some(
            BlueGreenState::InitializingBlue
            | BlueGreenState::TransitioningToBlue
            | BlueGreenState::TransitioningToGreen,
        )
        | None => holds_the_state(blue, green),
    };
    let other = active.other();
    rebuilt.state = State::Active(active);
    rebuilt.reconciled = Some(Specification::new(spec_of(observed, of(active), active)));
    // Whatever the other one is, nobody knows that it may go: it stays until the next transition replaces it.
    rebuilt.kept = Some(KeptStatus {
        color: other,
        transition: child::transition(of(other)),
        policy: FailedDeploymentPolicy::Keep,
        since: now,
        delete_at: None,
    });
    Event::warning(
        "StatusRebuilt",
        format!(
            "the status was rebuilt from the children that are there: {active} is active, {other} is kept"
        ),
    )
}

/// Of two children, the one that surely holds the newest state: the earlier one, which ran all the while, unless it does
/// not run and the later one does.
fn holds_the_state(blue: &FlinkDeployment, green: &FlinkDeployment) -> Color {
    let age = |object: &FlinkDeployment| {
        (
            child::transition(object),
            object.metadata.creation_timestamp.as_ref().map(|time| time.0),
        )
    };
    let (earlier, later, color) = match age(blue).cmp(&age(green)) {
        Ordering::Less | Ordering::Equal => (blue, green, Color::Blue),
        Ordering::Greater => (green, blue, Color::Green),
    };
    if !child::job_is_running(earlier) && child::job_is_running(later) {
        color.other()
    } else {
        color
    }
}

const fn transitioning_to(color: Color) -> BlueGreenState {
    match color {
        Color::Blue => BlueGreenState::TransitioningToBlue,
        Color::Green => BlueGreenState::TransitioningToGreen,
    }
}

fn taken_over(
    now: Timestamp,
    status: &FlinkBlueGreenDeploymentStatus,
    from: Option<Color>,
    to: Color,
    incoming: &FlinkDeployment,
    spec: &Specification,
) -> Transition {
    // The clock of the one who began it is gone on from; without one, the grace period begins now.
    let grace = sluice_api::settings::BlueGreenSettings::default().abort_grace_period;
    let deadline = status
        .abort_timestamp
        .0
        .or_else(|| now.saturating_add(grace).ok())
        .unwrap_or(Timestamp::MAX);
    let step = match from {
        Some(_) => Step::Deploying { since: now, deadline },
        None => Step::InPlace { since: now, deadline },
    };
    Transition {
        number: child::transition(incoming),
        from,
        to,
        cause: TransitionCause::TakenOver,
        mode: TransitionMode::Basic,
        started_at: now,
        spec: spec.clone(),
        step,
        savepoint: None,
        restore: child::restored_from(incoming).map(str::to_owned),
        warm: false,
        sink_epoch: prepared::sink_epoch(incoming),
        watermark: None,
        outgoing_stopped_at: None,
        incoming_created_at: incoming.metadata.creation_timestamp.as_ref().map(|time| time.0),
        lowered: None,
    }
}

/// The blue/green specification that a child was made from. What a child was started from is taken from the present
/// specification, so that it does not look like an edit.
fn spec_of(observed: &Observed, object: &FlinkDeployment, color: Color) -> FlinkBlueGreenDeploymentSpec {
    let present = &observed.resource.spec;
    let mut spec = agent::as_written(object, &diff::child_spec(present));
    let wanted = diff::child_spec(present).job.clone();
    if let Some(job) = &mut spec.job {
        job.initial_savepoint_path = wanted.as_ref().and_then(|job| job.initial_savepoint_path.clone());
        job.savepoint_redeploy_nonce = wanted.as_ref().and_then(|job| job.savepoint_redeploy_nonce);
    }
    if let Some(template) = spec
        .ingress
        .as_mut()
        .and_then(|ingress| ingress.template.as_mut())
    {
        *template = child::unprefixed_template(template, color);
    }
    let template = present.template.clone().unwrap_or_default();
    FlinkBlueGreenDeploymentSpec {
        template: Some(FlinkDeploymentTemplate {
            spec: Some(spec),
            ..template
        }),
        ..present.clone()
    }
}
