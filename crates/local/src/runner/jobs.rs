//! What is asked of Flink: each answer a fact, so that "could not ask" never looks like "not there".

use std::time::Duration;

use sluice_api::FlinkDeployment;
use sluice_api::flink_deployment::FlinkJobState;
use sluice_core::Fact;
use sluice_core::lifecycle::{CompletedCheckpoint, JobView, OperationProgress, Record};
use sluice_flink::{Client, Error, JobId, JobState, OperationStatus, TriggerId};

use crate::launcher;

/// How long a JobManager on this machine may take to answer.
fn limits() -> sluice_flink::Options {
    sluice_flink::Options {
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(5),
        ..sluice_flink::Options::default()
    }
}

/// The HTTP client that all JobManagers share.
pub(crate) fn http() -> Result<reqwest::Client, Error> {
    sluice_flink::http_client(&limits(), false)
}

/// The client of the JobManager at this address.
pub(crate) fn client(http: &reqwest::Client, address: &str) -> Result<Client, Error> {
    Client::with_http(http.clone(), address, limits())
}

/// The record of a FlinkDeployment's life, if it has one.
pub(crate) fn record(deployment: &FlinkDeployment) -> Option<Record> {
    deployment.status.as_ref().and_then(Record::read)
}

/// The job, as its JobManager tells. `Absent`: it answers and does not know the job.
pub(crate) async fn view(client: &Client, id: &str) -> Fact<JobView> {
    let Ok(job) = id.parse::<JobId>() else {
        return Fact::Absent;
    };
    let details = match client.job(job).await {
        Ok(details) => details,
        Err(error) if error.is_not_found() => return Fact::Absent,
        Err(error) => return Fact::Unknown(error.to_string()),
    };
    let all_tasks_running = details.all_tasks_running();
    // Only for its words: a job whose exceptions cannot be asked for is as it is.
    let exception = if all_tasks_running {
        None
    } else {
        exception(client, job).await
    };
    let restored_checkpoint = if all_tasks_running {
        client
            .checkpoints(job)
            .await
            .ok()
            .and_then(|checkpoints| checkpoints.latest.restored)
            .map(|restored| restored.id)
    } else {
        None
    };
    Fact::Present(JobView {
        job_id: details.id.to_string(),
        name: Some(details.name.clone()),
        state: state(&details.state),
        start_time: time(details.start_time),
        all_tasks_running,
        running_since: details.entered(&JobState::Running).and_then(time),
        exception,
        restored_checkpoint,
    })
}

/// What a job failed of, in its own words.
async fn exception(client: &Client, job: JobId) -> Option<String> {
    let exceptions = client.job_exceptions(job).await.ok()?;
    Some(exceptions.root?.trace.root_cause().to_owned())
}

fn time(millis: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(millis).ok()
}

const fn state(state: &JobState) -> FlinkJobState {
    match state {
        JobState::Initializing => FlinkJobState::Initializing,
        JobState::Created => FlinkJobState::Created,
        JobState::Running => FlinkJobState::Running,
        JobState::Failing => FlinkJobState::Failing,
        JobState::Failed => FlinkJobState::Failed,
        JobState::Cancelling => FlinkJobState::Cancelling,
        JobState::Canceled => FlinkJobState::Canceled,
        JobState::Finished => FlinkJobState::Finished,
        JobState::Restarting => FlinkJobState::Restarting,
        JobState::Suspended => FlinkJobState::Suspended,
        // A name that a newer Flink brings says no more than that the state is not known yet.
        _ => FlinkJobState::Reconciling,
    }
}

/// The last completed checkpoint of a job: from its JobManager, or, if none answers, from where checkpoints are kept.
pub(crate) async fn checkpoint(
    client: Option<&Client>,
    deployment: &FlinkDeployment,
) -> Fact<CompletedCheckpoint> {
    let Some(id) = record(deployment)
        .map(|record| record.job_id)
        .filter(|id| !id.is_empty())
    else {
        return Fact::Absent;
    };
    if let (Some(client), Ok(job)) = (client, id.parse::<JobId>())
        && let Ok(checkpoints) = client.checkpoints(job).await
        && let Some(completed) = checkpoints
            .latest
            .completed
            .filter(|checkpoint| !checkpoint.discarded)
    {
        return Fact::Present(CompletedCheckpoint {
            job_id: id,
            id: completed.id,
            path: completed.external_path.unwrap_or_default(),
            completed_at: completed.latest_ack_timestamp.and_then(time),
        });
    }
    // A JobManager that knows of none may have forgotten: its statistics begin anew when it is started again.
    let Some(directory) = checkpoint_directory(deployment) else {
        return Fact::Absent;
    };
    tokio::task::spawn_blocking(move || launcher::last_checkpoint(&directory, &id))
        .await
        .unwrap_or_else(|error| Fact::Unknown(error.to_string()))
}

/// Where the deployed job keeps its checkpoints: what was deployed counts, not what an edit wants.
fn checkpoint_directory(deployment: &FlinkDeployment) -> Option<String> {
    let deployed = deployment
        .status
        .as_ref()
        .and_then(|status| status.reconciliation_status.as_ref())
        .and_then(|reconciled| reconciled.last_reconciled_spec.as_deref())
        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        .and_then(|value| serde_json::from_value(value.get("spec")?.clone()).ok())
        .map(|spec| FlinkDeployment {
            spec,
            ..deployment.clone()
        });
    sluice_api::validate_flink_deployment(deployed.as_ref().unwrap_or(deployment))
        .ok()?
        .checkpoint_directory
}

/// How far a savepoint is.
///
/// `Absent`: the JobManager does not know the id, or there is none any more, and no finished savepoint stands in the
/// attempt's own directory. Without a JobManager the directory alone can tell: one that cannot be read is `Unknown`, not
/// an empty one. `alive` says whether a JobManager is there to be asked again.
pub(crate) async fn savepoint(
    client: Option<&Client>,
    alive: bool,
    job: &str,
    trigger: &str,
    directory: &str,
) -> Fact<OperationProgress> {
    let answer = match (client, ids(job, trigger)) {
        (Some(client), Some((job, trigger))) => client
            .savepoint_status(job, trigger)
            .await
            .map_err(|error| error.to_string()),
        (None, _) => Err("its JobManager has no address yet".to_owned()),
        (_, None) => Ok(OperationStatus::NotKnown),
    };
    let unanswered = match answer {
        Ok(OperationStatus::InProgress) => return Fact::Present(OperationProgress::InProgress),
        Ok(OperationStatus::Completed(location)) => {
            return Fact::Present(OperationProgress::Completed { location, id: None });
        }
        Ok(OperationStatus::Failed { cause }) => {
            return Fact::Present(OperationProgress::Failed {
                cause: cause.summary(),
            });
        }
        Ok(OperationStatus::NotKnown) => None,
        Err(why) => Some(why),
    };
    match (finished_savepoint(directory.to_owned()).await, unanswered) {
        (Fact::Present(completed), _) => Fact::Present(completed),
        (_, Some(why)) if alive => Fact::Unknown(why),
        (Fact::Unknown(why), Some(_)) => Fact::Unknown(why),
        (Fact::Unknown(_), None) | (Fact::Absent, _) => Fact::Absent,
    }
}

/// The finished savepoint that stands in the directory of one attempt.
async fn finished_savepoint(directory: String) -> Fact<OperationProgress> {
    let look = move || {
        launcher::finished_savepoint(&directory).map(|location| OperationProgress::Completed {
            id: launcher::savepoint_number(&location),
            location,
        })
    };
    tokio::task::spawn_blocking(look)
        .await
        .unwrap_or_else(|error| Fact::Unknown(error.to_string()))
}

/// How far a checkpoint that was asked for is; as [`savepoint`], without a directory of its own.
pub(crate) async fn asked_checkpoint(
    client: Option<&Client>,
    alive: bool,
    job: &str,
    trigger: &str,
) -> Fact<OperationProgress> {
    let answer = match (client, ids(job, trigger)) {
        (Some(client), Some((job, trigger))) => client
            .checkpoint_status(job, trigger)
            .await
            .map_err(|error| error.to_string()),
        (None, _) => Err("its JobManager has no address yet".to_owned()),
        (_, None) => Ok(OperationStatus::NotKnown),
    };
    match answer {
        Ok(OperationStatus::InProgress) => Fact::Present(OperationProgress::InProgress),
        Ok(OperationStatus::Completed(id)) => Fact::Present(OperationProgress::Completed {
            location: String::new(),
            id: Some(id),
        }),
        Ok(OperationStatus::Failed { cause }) => Fact::Present(OperationProgress::Failed {
            cause: cause.summary(),
        }),
        Err(why) if alive => Fact::Unknown(why),
        Ok(OperationStatus::NotKnown) | Err(_) => Fact::Absent,
    }
}

/// The ids in the form that Flink takes them; `None`: no JobManager can know them.
pub(crate) fn ids(job: &str, trigger: &str) -> Option<(JobId, TriggerId)> {
    Some((job.parse().ok()?, trigger.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_savepoint_of_a_dead_job_manager_is_found_and_never_guessed_at() {
        let (job, trigger) = (
            "3f3646238f4fc3389bcd7b5fd8b1e712",
            "cb3f701014b0cb3f701014b0cb3f7010",
        );
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("1-1");
        let uri = format!("file://{}", directory.display());
        assert_eq!(savepoint(None, false, job, trigger, &uri).await, Fact::Absent);

        let complete = directory.join("savepoint-3f3646-cb3f701014b0");
        std::fs::create_dir_all(&complete).unwrap();
        assert_eq!(savepoint(None, false, job, trigger, &uri).await, Fact::Absent);
        let head = b"\x49\x60\x67\x2d\0\0\0\x04\0\0\0\0\0\0\0\x07and the rest";
        std::fs::write(complete.join("_metadata"), head).unwrap();
        let found = Fact::Present(OperationProgress::Completed {
            location: format!("file://{}", complete.display()),
            id: Some(7),
        });
        assert_eq!(savepoint(None, false, job, trigger, &uri).await, found);
        assert_eq!(savepoint(None, true, job, trigger, &uri).await, found);

        let elsewhere = "s3://bucket/savepoints/1-1";
        assert!(savepoint(None, false, job, trigger, elsewhere).await.is_unknown());
        let file = format!("file://{}", complete.join("_metadata").display());
        assert!(savepoint(None, false, job, trigger, &file).await.is_unknown());
    }
}
