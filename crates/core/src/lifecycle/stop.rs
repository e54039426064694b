//! Stopping a deployment: with a savepoint, by cancelling, by ending the cluster; and what follows.

use jiff::SignedDuration;
use sluice_api::flink_deployment::{FlinkJobState, SnapshotTriggerType};
use sluice_api::{JobState, UpgradeMode};

use super::change;
use super::decision::WaitingFor;
use super::observed::OperationProgress;
use super::pass::{Draft, Obstacle, Pass, Sight, is_healthy, is_terminal, one_line};
use super::record::{SavepointRequest, SetAside, Step, Stop, StopReason};
use super::requests::{self, ATTEMPTS, Attempt};
use super::{restore, start};
use crate::{Event, Fact, fields};

/// How long a job has to be cancelled before its cluster is ended.
const CANCELLING: SignedDuration = SignedDuration::from_secs(60);
/// How long a job that was healthy may be silent or restarting before its savepoint is given up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// Deletion goes before everything else.
pub(super) fn begin_deletion(pass: &Pass<'_>, draft: &mut Draft) {
    let sight = pass.sight(&draft.record);
    if matches!(sight, Sight::Unknown(_)) {
        return;
    }
    requests::drop_requests(draft);
    let stop = cancel(pass, sight);
    draft.record.step = Step::Stopping {
        since: pass.now,
        reason: StopReason::Delete,
        stop,
    };
    draft.events.push(Event::normal(
        "Deleting",
        "The cluster is being stopped, because the resource is deleted",
    ));
}

/// Cancels a job that can be asked to, else ends the cluster.
pub(super) fn cancel(pass: &Pass<'_>, sight: Sight<'_>) -> Stop {
    match sight {
        Sight::Job(job) if !is_terminal(job.state) => Stop::Cancel {
            deadline: pass.now + CANCELLING,
        },
        Sight::Job(_)
        | Sight::Silent(_)
        | Sight::NoJob
        | Sight::Dead(_)
        | Sight::NotLaunched
        | Sight::Other(_)
        | Sight::Unknown(_) => Stop::Cluster { newest: None },
    }
}

/// Stopping: one step further, if what is awaited has come.
pub(super) fn advance(pass: &Pass<'_>, draft: &mut Draft, reason: StopReason, stop: &Stop) {
    match stop {
        Stop::Savepoint { request } => with_savepoint(pass, draft, request),
        Stop::Cancel { deadline } => {
            let is_late = pass.now >= *deadline;
            if has_finished(pass, draft) && needs_state(pass, draft, reason) {
                finished(pass, draft);
            } else if let Some(next) = cancelled(pass, draft, reason, is_late) {
                go_on(draft, next);
            }
        }
        Stop::Cluster { newest } => conclude(pass, draft, reason, newest.as_deref()),
    }
}

/// The next way of stopping, for the same reason.
fn go_on(draft: &mut Draft, next: Stop) {
    if let Step::Stopping { stop, .. } = &mut draft.record.step {
        *stop = next;
    }
}

fn with_savepoint(pass: &Pass<'_>, draft: &mut Draft, request: &SavepointRequest) {
    let sight = pass.sight(&draft.record);
    if matches!(sight, Sight::Unknown(_)) {
        return;
    }
    let operation = pass.operation(&request.trigger_id);
    let is_late = pass.now >= request.deadline;
    match operation {
        Fact::Present(OperationProgress::Completed { location, id }) if !location.is_empty() => {
            completed(pass, draft, request, location, *id, is_late);
        }
        Fact::Present(OperationProgress::Completed { .. }) => {
            failed(pass, draft, request, "Flink did not say where the savepoint is");
        }
        Fact::Present(OperationProgress::Failed { cause }) => failed(pass, draft, request, cause),
        Fact::Unknown(why) if matches!(sight, Sight::Dead(_) | Sight::NotLaunched | Sight::Other(_)) => {
            not_to_be_learnt(pass, draft, request, &why);
        }
        Fact::Present(OperationProgress::InProgress) | Fact::Absent | Fact::Unknown(_) => {
            unfinished(pass, draft, request, matches!(operation, Fact::Absent), is_late);
        }
    }
}

/// The savepoint is complete. Flink says so only of a job that has ended with it; a savepoint found in its directory may
/// be of a job that went on, so it is compared with the last checkpoint.
fn completed(
    pass: &Pass<'_>,
    draft: &mut Draft,
    request: &SavepointRequest,
    location: &str,
    id: Option<u64>,
    is_late: bool,
) {
    match pass.sight(&draft.record) {
        Sight::Job(job) if job.state == FlinkJobState::Finished => {}
        Sight::Job(job) if !is_terminal(job.state) => {
            if is_late {
                failed(
                    pass,
                    draft,
                    request,
                    "the savepoint is complete, and the job went on running",
                );
            }
            return;
        }
        Sight::Silent(_) if !is_late => return,
        Sight::Job(_)
        | Sight::Silent(_)
        | Sight::NoJob
        | Sight::Dead(_)
        | Sight::NotLaunched
        | Sight::Other(_) => match (pass.checkpoint(&draft.record), id) {
            (Fact::Unknown(why), _) => {
                draft.obstacle = Some(Obstacle::Wait(WaitingFor::LastCheckpoint(why)));
                return;
            }
            (Fact::Present(checkpoint), Some(id)) if checkpoint.id > id => {
                go_on(draft, Stop::Cluster { newest: None });
                return;
            }
            (Fact::Present(_) | Fact::Absent, _) => {}
        },
        Sight::Unknown(_) => return,
    }
    requests::note_savepoint(pass, draft, request, location, SnapshotTriggerType::Upgrade);
    draft.record.has_checkpointed = true;
    draft.events.push(Event::normal(
        "StoppedWithSavepoint",
        format!("The job is stopped with the savepoint {location}"),
    ));
    go_on(
        draft,
        Stop::Cluster {
            newest: Some(location.to_owned()),
        },
    );
}

fn unfinished(
    pass: &Pass<'_>,
    draft: &mut Draft,
    request: &SavepointRequest,
    is_unknown_to_flink: bool,
    is_late: bool,
) {
    let is_impatient = pass.now.duration_since(request.since) >= PATIENCE;
    match pass.sight(&draft.record) {
        // Nothing can come of it any more once it is known that no savepoint stands in its directory.
        Sight::Dead(_) | Sight::NotLaunched | Sight::Other(_) if is_unknown_to_flink => {
            draft.events.push(Event::warning(
                "ClusterDied",
                "The cluster died while the job was being stopped with a savepoint",
            ));
            go_on(draft, Stop::Cluster { newest: None });
        }
        Sight::Job(job) if job.state == FlinkJobState::Finished && (is_unknown_to_flink || is_late) => {
            finished(pass, draft);
        }
        Sight::Job(job) if is_terminal(job.state) && (is_unknown_to_flink || is_late) => {
            if let Some(next) = cancelled(pass, draft, StopReason::Upgrade, is_late) {
                go_on(draft, next);
            }
        }
        Sight::Job(job) if is_impatient && is_unknown_to_flink && !is_healthy(job) => {
            give_up(pass, draft, "the job does not run with all its tasks");
        }
        Sight::Silent(why) if is_impatient => {
            give_up(pass, draft, &format!("the JobManager does not answer: {why}"));
        }
        Sight::NoJob if is_impatient => give_up(pass, draft, "the JobManager does not have the job"),
        Sight::Job(_) if is_late => failed(pass, draft, request, "the savepoint was not finished in time"),
        Sight::Job(_)
        | Sight::Silent(_)
        | Sight::NoJob
        | Sight::Dead(_)
        | Sight::NotLaunched
        | Sight::Other(_)
        | Sight::Unknown(_) => {}
    }
}

/// The cluster died, and whether the savepoint is complete cannot be learnt. If it is, its output is committed, and the
/// last checkpoint is too old: so nothing goes on from the job's own state before that is known.
fn not_to_be_learnt(pass: &Pass<'_>, draft: &mut Draft, request: &SavepointRequest, why: &str) {
    let gives_up_state = pass
        .target(draft)
        .is_ok_and(|target| change::asks_for_redeploy(&draft.deployed, &target.valid.spec));
    if gives_up_state || !needs_state(pass, draft, StopReason::Upgrade) {
        go_on(draft, Stop::Cluster { newest: None });
        return;
    }
    let is_impatient = pass.now.duration_since(request.since) >= PATIENCE;
    draft.obstacle = Some(if is_impatient {
        Obstacle::Person(format!(
            "the cluster died while the job was being stopped with a savepoint, and whether that is complete in {} cannot be learnt: {why}. Make the directory readable. {}",
            request.directory,
            restore::REMEDY
        ))
    } else {
        Obstacle::Wait(WaitingFor::Observation(why.to_owned()))
    });
}

/// One attempt has failed: the next, or another way.
fn failed(pass: &Pass<'_>, draft: &mut Draft, request: &SavepointRequest, cause: &str) {
    let cause = one_line(cause);
    draft.events.push(Event::warning(
        "SavepointFailed",
        format!(
            "Attempt {} of {ATTEMPTS} to stop the job with a savepoint failed: {cause}",
            request.attempt
        ),
    ));
    if request.attempt >= ATTEMPTS {
        give_up(pass, draft, &cause);
        return;
    }
    match requests::savepoint_request(pass, draft, &Attempt::after(pass, request, cause.clone())) {
        Some(request) => go_on(draft, Stop::Savepoint { request }),
        None => give_up(pass, draft, &cause),
    }
}

/// No savepoint can be had: from the last checkpoint if there is one, else the job stays as it is until the next edit.
fn give_up(pass: &Pass<'_>, draft: &mut Draft, cause: &str) {
    match restore::may_stop_without_savepoint(pass, draft) {
        Ok(()) => {
            draft.events.push(Event::warning(
                "StoppedWithoutSavepoint",
                format!("No savepoint could be taken ({cause}); the job goes on from its last checkpoint"),
            ));
            go_on(draft, cancel(pass, pass.sight(&draft.record)));
        }
        Err(Obstacle::Wait(what)) => draft.obstacle = Some(Obstacle::Wait(what)),
        Err(Obstacle::Person(why)) => {
            let reason = one_line(&format!(
                "no savepoint could be taken ({cause}), so the job runs on as it was, and the edit of generation {} is set aside until the next edit: {why}",
                pass.generation()
            ));
            draft.events.push(Event::warning("EditSetAside", reason.clone()));
            draft.record.set_aside = Some(SetAside {
                generation: pass.generation(),
                reason,
            });
            draft.record.step = if draft.record.was_stable {
                Step::Running { since: pass.now }
            } else {
                Step::Deploying {
                    since: pass.now,
                    not_before: None,
                    first_look: None,
                }
            };
        }
    }
}

/// How it goes on once the job is cancelled or cannot be any more.
fn cancelled(pass: &Pass<'_>, draft: &Draft, reason: StopReason, is_late: bool) -> Option<Stop> {
    let read_later = Stop::Cluster { newest: None };
    match pass.sight(&draft.record) {
        Sight::Unknown(_) => None,
        Sight::Job(job) if is_terminal(job.state) => match pass.checkpoint(&draft.record) {
            Fact::Present(checkpoint) if !checkpoint.path.is_empty() => Some(Stop::Cluster {
                newest: Some(checkpoint.path.clone()),
            }),
            Fact::Present(_) | Fact::Absent => Some(read_later),
            // The JobManager is still there to tell; where checkpoints are kept may not be readable without it.
            Fact::Unknown(_) => (is_late || !needs_state(pass, draft, reason)).then_some(read_later),
        },
        Sight::Job(_) | Sight::Silent(_) => is_late.then_some(read_later),
        Sight::NoJob | Sight::Dead(_) | Sight::NotLaunched | Sight::Other(_) => Some(read_later),
    }
}

fn has_finished(pass: &Pass<'_>, draft: &Draft) -> bool {
    matches!(pass.sight(&draft.record), Sight::Job(job) if job.state == FlinkJobState::Finished)
}

/// The job came to its own end before it could be stopped: there is nothing to go on from, and what it did is not to be
/// done again.
fn finished(pass: &Pass<'_>, draft: &mut Draft) {
    draft.events.push(Event::normal(
        "JobFinished",
        "The job has finished before it could be stopped",
    ));
    draft.record.step = Step::Ended {
        since: pass.now,
        state: FlinkJobState::Finished,
        error: None,
    };
}

fn needs_state(pass: &Pass<'_>, draft: &Draft, reason: StopReason) -> bool {
    match reason {
        StopReason::Delete | StopReason::Redeploy => false,
        StopReason::Suspend | StopReason::Upgrade | StopReason::Crash => pass
            .target(draft)
            .is_ok_and(|target| change::upgrade_mode(&target.valid.spec) != UpgradeMode::Stateless),
    }
}

/// The cluster is to go; when it is gone, what follows is what the specification says now.
fn conclude(pass: &Pass<'_>, draft: &mut Draft, reason: StopReason, newest: Option<&str>) {
    match pass.sight(&draft.record) {
        Sight::Unknown(_) | Sight::Other(_) | Sight::Silent(_) | Sight::NoJob | Sight::Job(_) => return,
        Sight::Dead(_) | Sight::NotLaunched => {}
    }
    if reason == StopReason::Delete {
        return;
    }
    let target = match pass.target(draft) {
        Ok(target) => target,
        Err(problem) => {
            draft.obstacle = Some(Obstacle::Person(problem));
            return;
        }
    };
    let restores = match restore::after_stop(pass, draft, reason, newest, &target.valid) {
        Ok(path) => path,
        Err(obstacle) => {
            draft.obstacle = Some(obstacle);
            return;
        }
    };
    if fields::job_state(&target.valid.spec) == JobState::Suspended {
        start::suspend(pass, draft, target, restores);
        return;
    }
    let is_same = matches!(
        change::compare(&draft.deployed, &target.valid.spec),
        change::Change::None | change::Change::InPlace
    );
    let pause = draft
        .record
        .crashes
        .as_ref()
        .filter(|_| reason == StopReason::Crash && is_same);
    let not_before = pause.map(|crashes| pass.now + start::pause_after(crashes.count));
    start::start(pass, draft, target, restores, not_before);
}
