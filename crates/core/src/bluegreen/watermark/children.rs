//! What the decider of the handover asks of the children, as effects.

use jiff::SignedDuration;
use sluice_api::blue_green::StopStatus;

use crate::bluegreen::decision::Effect;
use crate::bluegreen::observed::SavepointProgress;
use crate::bluegreen::record::{Step, Transition};
use crate::bluegreen::view::{Mine, Verdict, View};
use crate::bluegreen::{child, prepared, savepoints};
use crate::handover::Job;
use crate::handover::operator::{Decision, Request};
use crate::{Event, Fact, identity};

/// What is asked of the children beyond the incoming one's being there, in the order of the requests.
pub fn carried_out(view: &View<'_>, transition: &Transition, decision: &Decision) -> Vec<Effect> {
    let carry = |request: &Request| match request {
        Request::StopDrained { job } => stop_drained(view, transition, *job),
        Request::Resume { job } => resume(view, transition, *job),
        // What an ABORT asks for is what becomes of the transition, and of what it leaves behind.
        Request::Release { .. } | Request::StartOver { .. } => None,
    };
    decision.requests.iter().filter_map(carry).collect()
}

/// How long a stop that Flink calls complete may take to be one before it is asked for again: a job may have come back from it.
const STOP_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Writes down that the outgoing job is to be stopped for good, and every new attempt at it, before it is asked for.
pub fn stop(view: &View<'_>, transition: &Transition, decision: &Decision) -> Option<Verdict> {
    let Step::Sealing { since, cut, stop } = &transition.step else {
        return None;
    };
    let asked = |request: &Request| matches!(request, Request::StopDrained { .. });
    if !decision.requests.iter().any(asked) {
        return None;
    }
    let from = transition.to.other();
    let (attempt, event) = match stop {
        None => {
            let message = format!("{from} has passed the cut, and is stopped for good");
            (1, Event::normal("OutgoingStops", message))
        }
        Some(before) => {
            let why = stop_failed(view, before)?;
            let message = format!("{from} could not be stopped and is asked again: {why}");
            (
                before.attempt.saturating_add(1),
                Event::warning("StopFailed", message),
            )
        }
    };
    let uid = child::uid(view.resource());
    let step = Step::Sealing {
        since: *since,
        cut: *cut,
        stop: Some(StopStatus {
            attempt,
            trigger_id: identity::trigger_id(uid, "drain", transition.number, attempt),
            // Beside those of the savepoints that the transition begins with.
            directory: savepoints::directory(view, transition.number, attempt.saturating_add(100)),
            since: view.now,
        }),
    };
    Some(Verdict::next(view.record.at_step(transition, step), event))
}

fn stop_failed(view: &View<'_>, stop: &StopStatus) -> Option<String> {
    let observation = view.observed.savepoint.as_ref()?;
    if observation.trigger_id != stop.trigger_id {
        return None;
    }
    match &observation.progress {
        Fact::Present(SavepointProgress::Failed { cause }) => Some(cause.clone()),
        Fact::Present(SavepointProgress::Completed { .. })
            if view.now.duration_since(stop.since) >= STOP_AGAIN_AFTER =>
        {
            Some("its savepoint is complete, and the job runs".to_owned())
        }
        Fact::Present(SavepointProgress::Completed { .. } | SavepointProgress::InProgress)
        | Fact::Absent
        | Fact::Unknown(_) => None,
    }
}

/// Stops the outgoing job by its JobManager and not by its specification: a suspended child is one that could be resumed, and this
/// one never is.
fn stop_drained(view: &View<'_>, transition: &Transition, job: Job) -> Option<Effect> {
    let Step::Sealing { stop: Some(stop), .. } = &transition.step else {
        return None;
    };
    let known = view
        .observed
        .savepoint
        .as_ref()
        .filter(|asked| asked.trigger_id == stop.trigger_id);
    let to_be_sent = match known.map(|asked| &asked.progress) {
        // Nobody has asked about this id yet: a request that Flink knows already is answered with the same stop.
        None | Some(Fact::Absent) => true,
        Some(Fact::Unknown(_) | Fact::Present(_)) => false,
    };
    let outgoing = view.present(job.color)?;
    let job_id = child::job_id(outgoing)?;
    (to_be_sent && child::job_is_running(outgoing)).then(|| Effect::StopDrained {
        child: outgoing.metadata.name.clone().unwrap_or_default(),
        job_id: job_id.to_owned(),
        trigger_id: stop.trigger_id.clone(),
        directory: stop.directory.clone(),
    })
}

/// Brings a job back without which the handover cannot end, from the last checkpoint that it completed.
fn resume(view: &View<'_>, transition: &Transition, job: Job) -> Option<Effect> {
    let spec = if job.color == transition.to {
        &transition.spec
    } else {
        view.record.reconciled.as_ref()?
    };
    let last = match &view.side(job.color).checkpoint {
        Fact::Present(it) if it.transition == job.created_for.0 => Some(it.path.as_str()),
        Fact::Present(_) | Fact::Absent | Fact::Unknown(_) => None,
    };
    match view.mine(job.color) {
        Mine::Present(child) if child::transition(child) == job.created_for.0 => {
            prepared::resumed(view, job.color, child, spec, last)
        }
        // The incoming one is created again where every incoming one is.
        Mine::Absent if Some(job.color) == transition.from => {
            let made = prepared::Made {
                number: job.created_for.0,
                spec,
                restore: Some(last?),
                sink_epoch: view.record.sink_epoch,
                waits: false,
            };
            let manifest = prepared::manifest(view, job.color, &made).ok()?;
            Some(Effect::CreateChild {
                manifest: Box::new(manifest),
            })
        }
        Mine::Present(_) | Mine::Absent | Mine::Unknown(_) | Mine::Terminating | Mine::Foreign => None,
    }
}
