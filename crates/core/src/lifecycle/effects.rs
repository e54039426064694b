//! What the record asks for, as far as it is not observed yet. Derived again at every pass, from the record alone.

use jiff::{SignedDuration, Timestamp};

use super::decision::{Effect, Waiting, WaitingFor};
use super::live::SETTLING;
use super::observed::OperationProgress;
use super::pass::{Draft, Obstacle, Pass, Sight, is_healthy, is_terminal};
use super::plan::DeploymentPlan;
use super::record::{SavepointRequest, Step, Stop, StopReason};
use crate::{Fact, Wake};
use sluice_api::flink_deployment::FlinkJobState;

/// How soon something unfinished is looked at again.
const SOON: SignedDuration = SignedDuration::from_secs(1);
/// How soon a running job is looked at again.
const LATER: SignedDuration = SignedDuration::from_secs(10);

/// What a record makes of a pass.
pub(super) struct Outcome {
    pub(super) effects: Vec<Effect>,
    pub(super) waiting: Option<Waiting>,
    pub(super) wake: Wake,
}

/// What a step awaits, since when, until when.
type Await = (WaitingFor, Timestamp, Option<Timestamp>);
type Awaited = Option<Await>;

pub(super) fn derive(pass: &Pass<'_>, draft: &Draft) -> Outcome {
    let sight = pass.sight(&draft.record);
    let mut effects = Vec::new();
    let (awaited, wake) = of_step(pass, draft, sight, &mut effects);
    let (by_hand, wake_by_hand) = of_requests(pass, draft, sight, &mut effects);

    let mut waiting = match (&draft.obstacle, sight) {
        (_, Sight::Unknown(why)) => Some(waiting(WaitingFor::Observation(why.to_owned()))),
        (Some(Obstacle::Wait(what)), _) => Some(waiting(what.clone())),
        (Some(Obstacle::Person(what)), _) => Some(waiting(WaitingFor::Person(what.clone()))),
        (None, _) => awaited.or(by_hand).map(|(what, since, until)| Waiting {
            what,
            since: Some(since),
            until,
        }),
    };
    let mut wake = wake.earlier(wake_by_hand);
    match &draft.obstacle {
        Some(Obstacle::Wait(_)) => wake = wake.earlier(Wake::At(pass.now + SOON)),
        Some(Obstacle::Person(_)) => wake = wake.earlier(Wake::At(pass.now + LATER)),
        None => {}
    }
    if !pass.is_deleting() && !pass.has_finalizer() {
        // Nothing is launched that a deletion would leave behind.
        effects.retain(|effect| !matches!(effect, Effect::Deploy { .. }));
        effects.insert(0, Effect::AddFinalizer);
        waiting = Some(self::waiting(WaitingFor::Finalizer));
        wake = Wake::Now;
    }
    Outcome {
        effects,
        waiting,
        wake,
    }
}

pub(super) const fn waiting(what: WaitingFor) -> Waiting {
    Waiting {
        what,
        since: None,
        until: None,
    }
}

fn of_step(pass: &Pass<'_>, draft: &Draft, sight: Sight<'_>, effects: &mut Vec<Effect>) -> (Awaited, Wake) {
    let soon = Wake::At(pass.now + SOON);
    let later = Wake::At(pass.now + LATER);
    match &draft.record.step {
        Step::Deploying {
            since,
            not_before,
            first_look,
        } => match sight {
            Sight::NotLaunched if not_before.is_some_and(|moment| pass.now < moment) => {
                let moment = not_before.unwrap_or(pass.now);
                (
                    Some((WaitingFor::NextStart, *since, Some(moment))),
                    Wake::At(moment),
                )
            }
            Sight::NotLaunched => {
                let plan = DeploymentPlan::derive(&draft.record, &draft.deployed);
                effects.extend(plan.map(|plan| Effect::Deploy { plan: Box::new(plan) }));
                (
                    Some((WaitingFor::Launched(draft.record.deployment), *since, None)),
                    soon,
                )
            }
            Sight::Job(job) if is_healthy(job) => {
                let until = first_look.as_ref().map_or(pass.now, |look| look.at) + SETTLING;
                (
                    Some((WaitingFor::JobSettled, *since, Some(until))),
                    Wake::At(until),
                )
            }
            Sight::Other(other) => (Some(stop_cluster(*since, other, effects)), soon),
            Sight::Unknown(_) | Sight::Dead(_) | Sight::Silent(_) | Sight::NoJob | Sight::Job(_) => {
                (Some((WaitingFor::JobRunning, *since, None)), soon)
            }
        },
        Step::Running { since } => match sight {
            Sight::Other(other) => (Some(stop_cluster(*since, other, effects)), soon),
            Sight::Job(job) if is_healthy(job) => (None, later),
            Sight::Unknown(_)
            | Sight::NotLaunched
            | Sight::Dead(_)
            | Sight::Silent(_)
            | Sight::NoJob
            | Sight::Job(_) => (Some((WaitingFor::JobRunning, *since, None)), soon),
        },
        Step::Ended { since, .. } => match sight {
            Sight::Other(other) => (Some(stop_cluster(*since, other, effects)), soon),
            Sight::Unknown(_)
            | Sight::NotLaunched
            | Sight::Dead(_)
            | Sight::Silent(_)
            | Sight::NoJob
            | Sight::Job(_) => (None, later),
        },
        Step::Suspended { since, .. } => match alive(sight, draft.record.deployment) {
            Some(deployment) => (Some(stop_cluster(*since, deployment, effects)), soon),
            None => (None, Wake::OnChange),
        },
        Step::Stopping { since, reason, stop } => {
            of_stop(pass, draft, sight, (*since, *reason, stop), effects)
        }
    }
}

fn stop_cluster(since: Timestamp, deployment: u64, effects: &mut Vec<Effect>) -> Await {
    effects.push(Effect::StopCluster { deployment });
    (WaitingFor::ClusterGone(deployment), since, None)
}

/// The number of the cluster that is alive.
const fn alive(sight: Sight<'_>, own: u64) -> Option<u64> {
    match sight {
        Sight::Other(other) => Some(other),
        Sight::Silent(_) | Sight::NoJob | Sight::Job(_) => Some(own),
        Sight::Unknown(_) | Sight::NotLaunched | Sight::Dead(_) => None,
    }
}

fn of_stop(
    pass: &Pass<'_>,
    draft: &Draft,
    sight: Sight<'_>,
    (since, reason, stop): (Timestamp, StopReason, &Stop),
    effects: &mut Vec<Effect>,
) -> (Awaited, Wake) {
    let soon = Wake::At(pass.now + SOON);
    let job_id = draft.record.job_id.clone();
    match stop {
        Stop::Savepoint { request } => {
            if let Some(moment) = request.not_before.filter(|moment| pass.now < *moment) {
                return (
                    Some((WaitingFor::NextAttempt, since, Some(moment))),
                    Wake::At(moment),
                );
            }
            if may_send(pass, sight, request) {
                effects.push(Effect::StopWithSavepoint {
                    job_id,
                    trigger_id: request.trigger_id.clone(),
                    directory: request.directory.clone(),
                    format: request.format,
                });
            }
            let wake = if pass.operation(&request.trigger_id).is_unknown() {
                Wake::Now
            } else {
                soon
            };
            // What could not be asked is asked again a little later; only a request that is new is asked about at once.
            let wake = if is_asked_about(pass, &request.trigger_id) {
                soon
            } else {
                wake
            };
            (
                Some((WaitingFor::StopWithSavepoint, since, Some(request.deadline))),
                wake,
            )
        }
        Stop::Cancel { deadline } => {
            match sight {
                Sight::Job(job) if !is_terminal(job.state) && job.state != FlinkJobState::Cancelling => {
                    effects.push(Effect::CancelJob { job_id });
                }
                Sight::Job(_)
                | Sight::Unknown(_)
                | Sight::Other(_)
                | Sight::NotLaunched
                | Sight::Dead(_)
                | Sight::Silent(_)
                | Sight::NoJob => {}
            }
            (Some((WaitingFor::Cancelled, since, Some(*deadline))), soon)
        }
        Stop::Cluster { .. } => match alive(sight, draft.record.deployment) {
            Some(deployment) => (Some(stop_cluster(since, deployment, effects)), soon),
            None if reason == StopReason::Delete && !matches!(sight, Sight::Unknown(_)) => {
                if pass.has_finalizer() {
                    effects.push(Effect::RemoveFinalizer);
                }
                (Some((WaitingFor::ResourceGone, since, None)), soon)
            }
            None => (
                Some((WaitingFor::ClusterGone(draft.record.deployment), since, None)),
                soon,
            ),
        },
    }
}

fn is_asked_about(pass: &Pass<'_>, trigger_id: &str) -> bool {
    pass.observed
        .operations
        .iter()
        .any(|operation| operation.trigger_id == trigger_id)
}

/// A savepoint is asked for only where it is known that this very request was not sent or came to nothing.
fn may_send(pass: &Pass<'_>, sight: Sight<'_>, request: &SavepointRequest) -> bool {
    matches!(sight, Sight::Job(job) if is_healthy(job))
        && request.not_before.is_none_or(|moment| pass.now >= moment)
        && is_not_sent(pass, &request.trigger_id)
}

fn is_not_sent(pass: &Pass<'_>, trigger_id: &str) -> bool {
    match pass.operation(trigger_id) {
        Fact::Absent => true,
        Fact::Unknown(_)
        | Fact::Present(
            OperationProgress::InProgress
            | OperationProgress::Completed { .. }
            | OperationProgress::Failed { .. },
        ) => false,
    }
}

/// The requests made by hand.
fn of_requests(
    pass: &Pass<'_>,
    draft: &Draft,
    sight: Sight<'_>,
    effects: &mut Vec<Effect>,
) -> (Awaited, Wake) {
    let mut awaited = None;
    let mut wake = Wake::OnChange;
    let job_id = &draft.record.job_id;
    let look = |trigger_id: &str| {
        if is_asked_about(pass, trigger_id) {
            Wake::At(pass.now + SOON)
        } else {
            Wake::Now
        }
    };
    if let Some(request) = &draft.record.checkpoint {
        if matches!(sight, Sight::Job(job) if is_healthy(job)) && is_not_sent(pass, &request.trigger_id) {
            effects.push(Effect::TriggerCheckpoint {
                job_id: job_id.clone(),
                trigger_id: request.trigger_id.clone(),
            });
        }
        awaited = Some((WaitingFor::Checkpoint, request.since, Some(request.deadline)));
        wake = wake.earlier(look(&request.trigger_id));
    }
    if let Some(request) = &draft.record.savepoint {
        if may_send(pass, sight, request) {
            effects.push(Effect::TriggerSavepoint {
                job_id: job_id.clone(),
                trigger_id: request.trigger_id.clone(),
                directory: request.directory.clone(),
                format: request.format,
            });
        }
        awaited = Some((WaitingFor::Savepoint, request.since, Some(request.deadline)));
        wake = wake.earlier(look(&request.trigger_id));
    }
    (awaited, wake)
}
