//! The status as upstream's operator writes it, made from the record and from what is to be seen.

use serde_json::json;
use sluice_api::flink_deployment::{
    CheckpointInfo, FlinkDeploymentStatus, FlinkJobState, JobManagerDeploymentStatus, JobStatus,
    LifecycleState, ReconciliationState, SavepointInfo, SnapshotTriggerType,
};

use super::pass::{Draft, Obstacle, Pass, Sight, one_line};
use super::record::{Step, Stop, StopReason};

/// The status of a draft. Times move only where something else has changed.
pub(super) fn build(pass: &Pass<'_>, draft: &Draft) -> FlinkDeploymentStatus {
    let before = pass.observed.resource.status.clone().unwrap_or_default();
    let sight = pass.sight(&draft.record);
    let mut status = draft.status.clone();
    draft.record.write(&mut status);
    status.job_manager_deployment_status = Some(job_manager(pass, draft, sight));
    status.job_status = Some(job(draft, sight));
    status.lifecycle_state = Some(lifecycle(draft, sight));
    status.observed_generation = Some(match &draft.record.step {
        Step::Stopping {
            reason: StopReason::Suspend | StopReason::Upgrade | StopReason::Redeploy,
            ..
        } if pass.present.is_ok() => pass.generation(),
        Step::Stopping { .. }
        | Step::Deploying { .. }
        | Step::Running { .. }
        | Step::Ended { .. }
        | Step::Suspended { .. } => draft.record.generation,
    });
    reconciliation(pass, draft, sight, &mut status);
    status.error = error(pass, draft, sight);

    let without_time = |job: &Option<JobStatus>| {
        job.clone().map(|job| JobStatus {
            update_time: None,
            ..job
        })
    };
    if without_time(&before.job_status) != without_time(&status.job_status)
        && let Some(job) = &mut status.job_status
    {
        job.update_time = Some(pass.now.as_millisecond().to_string());
    }
    status
}

/// The status of a resource that was never deployed, because it is invalid.
pub(super) fn refused(pass: &Pass<'_>, problem: &str) -> FlinkDeploymentStatus {
    let mut status = pass.observed.resource.status.clone().unwrap_or_default();
    status.error = Some(one_line(problem));
    status.lifecycle_state = Some(LifecycleState::Failed);
    status
}

/// A cluster that was decided on and is not there yet.
const fn is_to_be_launched(sight: Sight<'_>) -> bool {
    matches!(sight, Sight::NotLaunched | Sight::Other(_))
}

fn job_manager(pass: &Pass<'_>, draft: &Draft, sight: Sight<'_>) -> JobManagerDeploymentStatus {
    match (&draft.record.step, sight) {
        (_, Sight::Job(_) | Sight::NoJob) => JobManagerDeploymentStatus::Ready,
        (_, Sight::Silent(_)) => JobManagerDeploymentStatus::DeployedNotReady,
        (Step::Deploying { .. }, Sight::NotLaunched | Sight::Other(_)) => {
            if pass.observed.failures.is_empty() && draft.record.crashes.is_none() {
                JobManagerDeploymentStatus::Deploying
            } else {
                JobManagerDeploymentStatus::Error
            }
        }
        (
            Step::Stopping {
                reason: StopReason::Crash,
                ..
            },
            Sight::Dead(_),
        ) => JobManagerDeploymentStatus::Error,
        // Who cannot be asked has told nothing new.
        (_, Sight::Unknown(_)) => {
            let told = draft.status.job_manager_deployment_status;
            told.unwrap_or(JobManagerDeploymentStatus::Deploying)
        }
        (_, Sight::NotLaunched | Sight::Other(_) | Sight::Dead(_)) => JobManagerDeploymentStatus::Missing,
    }
}

fn job(draft: &Draft, sight: Sight<'_>) -> JobStatus {
    let record = &draft.record;
    let mut status = draft.status.job_status.clone().unwrap_or_default();
    if record.deployment == 0 {
        status.state = Some(FlinkJobState::Suspended);
        return status;
    }
    if status.job_id.as_deref() != Some(&record.job_id) {
        status.job_id = Some(record.job_id.clone());
        status.start_time = None;
    }
    if let Sight::Job(job) = sight {
        status.job_name = job.name.clone().or(status.job_name);
        status.start_time = job
            .start_time
            .map(|time| time.as_millisecond().to_string())
            .or(status.start_time);
    }
    status.state = Some(match (&record.step, sight) {
        (Step::Suspended { .. }, _) => FlinkJobState::Suspended,
        (Step::Ended { state, .. }, _) => *state,
        (Step::Deploying { .. } | Step::Running { .. } | Step::Stopping { .. }, Sight::Job(job)) => job.state,
        (Step::Deploying { .. } | Step::Running { .. } | Step::Stopping { .. }, _) => {
            FlinkJobState::Reconciling
        }
    });
    status.upgrade_savepoint_path = match &record.step {
        Step::Suspended { restore, .. } => restore.clone(),
        Step::Stopping {
            stop: Stop::Cluster { newest: Some(newest) },
            ..
        } => Some(newest.clone()),
        Step::Stopping { .. } | Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => {
            record.restored_from.clone()
        }
    };
    savepoint_under_way(draft, &mut status);
    checkpoint_under_way(draft, &mut status);
    status
}

fn savepoint_under_way(draft: &Draft, status: &mut JobStatus) {
    let (request, trigger_type) = match &draft.record.step {
        Step::Stopping {
            stop: Stop::Savepoint { request },
            ..
        } => (Some(request), SnapshotTriggerType::Upgrade),
        Step::Stopping { .. }
        | Step::Deploying { .. }
        | Step::Running { .. }
        | Step::Ended { .. }
        | Step::Suspended { .. } => (draft.record.savepoint.as_ref(), SnapshotTriggerType::Manual),
    };
    if request.is_none() && status.savepoint_info.is_none() {
        return;
    }
    let info = status.savepoint_info.get_or_insert_with(SavepointInfo::default);
    info.trigger_id = request.map(|request| request.trigger_id.clone());
    info.trigger_timestamp = request.map(|request| request.since.as_millisecond());
    info.trigger_type = request.map(|_| trigger_type);
    info.format_type = request.map(|request| request.format);
}

fn checkpoint_under_way(draft: &Draft, status: &mut JobStatus) {
    let request = draft.record.checkpoint.as_ref();
    if request.is_none() && status.checkpoint_info.is_none() {
        return;
    }
    let info = status.checkpoint_info.get_or_insert_with(CheckpointInfo::default);
    info.trigger_id = request.map(|request| request.trigger_id.clone());
    info.trigger_timestamp = request.map(|request| request.since.as_millisecond());
    info.trigger_type = request.map(|_| SnapshotTriggerType::Manual);
}

fn lifecycle(draft: &Draft, sight: Sight<'_>) -> LifecycleState {
    match &draft.record.step {
        Step::Stopping {
            reason: StopReason::Delete,
            ..
        } => LifecycleState::Deleting,
        Step::Suspended { .. } => LifecycleState::Suspended,
        Step::Stopping {
            reason: StopReason::Crash,
            ..
        } => LifecycleState::Deployed,
        Step::Stopping { .. } => LifecycleState::Upgrading,
        Step::Deploying { .. } if is_to_be_launched(sight) && draft.record.crashes.is_none() => {
            LifecycleState::Upgrading
        }
        Step::Deploying { .. } => LifecycleState::Deployed,
        Step::Running { .. } => LifecycleState::Stable,
        Step::Ended { state, .. } => match state {
            FlinkJobState::Failed => LifecycleState::Failed,
            FlinkJobState::Finished => LifecycleState::Stable,
            FlinkJobState::Canceled
            | FlinkJobState::Cancelling
            | FlinkJobState::Created
            | FlinkJobState::Failing
            | FlinkJobState::Initializing
            | FlinkJobState::Reconciling
            | FlinkJobState::Restarting
            | FlinkJobState::Running
            | FlinkJobState::Suspended => LifecycleState::Deployed,
        },
    }
}

fn reconciliation(pass: &Pass<'_>, draft: &Draft, sight: Sight<'_>, status: &mut FlinkDeploymentStatus) {
    let mut reconciliation = status.reconciliation_status.take().unwrap_or_default();
    // A specification that differs only in how it is written is not written again.
    let written = reconciliation
        .last_reconciled_spec
        .as_deref()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let wanted = json!({ "spec": draft.deployed });
    if draft.record.deployment > 0 && written.as_ref() != Some(&wanted) {
        reconciliation.last_reconciled_spec = Some(wanted.to_string());
        reconciliation.reconciliation_timestamp = Some(pass.now.as_millisecond());
    }
    reconciliation.state = Some(match lifecycle(draft, sight) {
        LifecycleState::Upgrading => ReconciliationState::Upgrading,
        LifecycleState::Created
        | LifecycleState::Suspended
        | LifecycleState::Deployed
        | LifecycleState::Stable
        | LifecycleState::RollingBack
        | LifecycleState::RolledBack
        | LifecycleState::Failed
        | LifecycleState::Deleting
        | LifecycleState::Deleted => ReconciliationState::Deployed,
    });
    if lifecycle(draft, sight) == LifecycleState::Stable {
        reconciliation
            .last_stable_spec
            .clone_from(&reconciliation.last_reconciled_spec);
    }
    status.reconciliation_status = Some(reconciliation);
}

/// What a person should know; the job's and the launcher's own words are quoted.
fn error(pass: &Pass<'_>, draft: &Draft, sight: Sight<'_>) -> Option<String> {
    let mut sentences: Vec<String> = Vec::new();
    if let Err(problem) = &pass.present
        && !pass.is_deleting()
    {
        sentences.push(problem.clone());
    }
    let set_aside = draft
        .record
        .set_aside
        .as_ref()
        .filter(|edit| edit.generation == pass.generation());
    sentences.extend(set_aside.map(|edit| edit.reason.clone()));
    match &draft.obstacle {
        Some(Obstacle::Person(why)) if !sentences.contains(why) => sentences.push(why.clone()),
        Some(Obstacle::Person(_) | Obstacle::Wait(_)) | None => {}
    }
    sentences.extend(pass.observed.failures.iter().cloned());
    sentences.extend(of_step(draft, sight));
    (!sentences.is_empty()).then(|| one_line(&sentences.join("; ")))
}

fn of_step(draft: &Draft, sight: Sight<'_>) -> Option<String> {
    let crash = draft
        .record
        .crashes
        .as_ref()
        .map(|crashes| format!("the cluster died ({} in a row): {}", crashes.count, crashes.last));
    match (&draft.record.step, sight) {
        (Step::Ended { error, .. }, _) => error.clone(),
        (Step::Deploying { .. } | Step::Running { .. }, Sight::Job(job)) => match job.state {
            FlinkJobState::Failed
            | FlinkJobState::Failing
            | FlinkJobState::Restarting
            | FlinkJobState::Canceled
            | FlinkJobState::Cancelling
            | FlinkJobState::Suspended => job.exception.clone(),
            FlinkJobState::Created
            | FlinkJobState::Finished
            | FlinkJobState::Initializing
            | FlinkJobState::Reconciling
            | FlinkJobState::Running => {
                // While it is not stable, the exception is why.
                matches!(draft.record.step, Step::Deploying { .. })
                    .then(|| job.exception.clone().or(crash))
                    .flatten()
            }
        },
        (
            Step::Deploying { .. }
            | Step::Stopping {
                reason: StopReason::Crash,
                ..
            },
            _,
        ) => crash,
        (
            Step::Stopping {
                stop: Stop::Savepoint { request },
                ..
            },
            _,
        ) => request
            .last_failure
            .as_ref()
            .map(|why| format!("a savepoint could not be taken: {why}")),
        (Step::Stopping { .. } | Step::Running { .. } | Step::Suspended { .. }, _) => None,
    }
}
