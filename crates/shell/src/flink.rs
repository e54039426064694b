//! What is asked of Flink: each answer a fact, so that "could not ask" never looks like "not there".

use std::time::Duration;

use sluice_api::FlinkDeployment;
use sluice_api::flink_deployment::{FlinkJobState, SavepointFormatType};
use sluice_core::Fact;
use sluice_core::bluegreen::{ClusterView, SavepointProgress, child};
use sluice_core::lifecycle::{self, CompletedCheckpoint, JobView, OperationProgress, Record};
use sluice_flink::{
    BadId, CheckpointType, Client, Error, JobId, JobState, OperationStatus, SavepointFormat, TriggerId,
};
use tokio::time::Instant;

use crate::Storage;

/// How long the disposal of a savepoint is waited for.
const DISPOSAL_LIMIT: Duration = Duration::from_secs(30);

/// How long a JobManager may take to answer. A look at an object waits for it, so it is short.
fn limits() -> sluice_flink::Options {
    sluice_flink::Options {
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(3),
        ..sluice_flink::Options::default()
    }
}

/// The HTTP client that all JobManagers share.
pub fn http() -> Result<reqwest::Client, Error> {
    sluice_flink::http_client(&limits(), false)
}

/// The client of the JobManager at this address.
pub fn client(http: &reqwest::Client, address: &str) -> Result<Client, Error> {
    Client::with_http(http.clone(), address, limits())
}

/// A cluster that comes up, as its JobManager tells. `Absent`: it has no address yet.
pub async fn cluster(client: Option<&Client>) -> Fact<ClusterView> {
    let Some(client) = client else {
        return Fact::Absent;
    };
    match client.overview().await {
        Ok(overview) => Fact::Present(ClusterView {
            slots: overview.slots_total,
        }),
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

/// The record of a FlinkDeployment's life, if it has one.
pub fn record(deployment: &FlinkDeployment) -> Option<Record> {
    deployment.status.as_ref().and_then(Record::read)
}

/// The job, as its JobManager tells. `Absent`: it answers and does not know the job.
pub async fn view(client: &Client, id: &str) -> Fact<JobView> {
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

/// The id of a deployment's job: by its own record, or, under another operator, by its status. Empty: it has none yet.
pub fn job_id(deployment: &FlinkDeployment) -> String {
    record(deployment)
        .map(|record| record.job_id)
        .or_else(|| child::job_id(deployment).map(str::to_owned))
        .unwrap_or_default()
}

/// The last completed checkpoint of a job: from its JobManager, or, if none answers, from where checkpoints are kept.
pub async fn checkpoint(
    client: Option<&Client>,
    storage: Storage,
    deployment: &FlinkDeployment,
) -> Fact<CompletedCheckpoint> {
    let id = job_id(deployment);
    if id.is_empty() {
        return Fact::Absent;
    }
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
    storage.last_checkpoint(directory, id).await
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

/// A savepoint that was asked for, or will be.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The job, as it stands in the record.
    pub job: &'a str,
    /// Our own trigger id.
    pub trigger: &'a str,
    /// The target directory of this attempt alone.
    pub directory: &'a str,
}

/// How far a savepoint is.
///
/// `Absent`: the JobManager does not know the id, or there is none any more, and no finished savepoint of the attempt's own
/// directory was found. Without a JobManager the directory alone can tell: one that cannot be looked into is `Unknown`, not
/// an empty one. `alive` says whether a JobManager is there to be asked again.
pub async fn savepoint(
    client: Option<&Client>,
    storage: Storage,
    alive: bool,
    asked: Asked<'_>,
) -> Fact<OperationProgress> {
    let answer = match (client, ids(asked.job, asked.trigger)) {
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
            let id = number(client, storage, asked).await;
            return Fact::Present(OperationProgress::Completed { location, id });
        }
        Ok(OperationStatus::Failed { cause }) => {
            return Fact::Present(OperationProgress::Failed {
                cause: cause.summary(),
            });
        }
        Ok(OperationStatus::NotKnown) => None,
        Err(why) => Some(why),
    };
    let stored = match storage.finished_savepoint(asked.directory.to_owned()).await {
        Fact::Unknown(why) => match counted(client, asked).await {
            Some((location, id)) => Fact::Present((location, Some(id))),
            None => Fact::Unknown(why),
        },
        found @ (Fact::Absent | Fact::Present(_)) => found,
    };
    match (stored, unanswered) {
        (Fact::Present((location, id)), _) => Fact::Present(OperationProgress::Completed { location, id }),
        (_, Some(why)) if alive => Fact::Unknown(why),
        (Fact::Unknown(why), Some(_)) => Fact::Unknown(why),
        (Fact::Unknown(_), None) | (Fact::Absent, _) => Fact::Absent,
    }
}

/// The savepoint of this attempt in the JobManager's statistics, which it keeps longer than the results of operations
/// (`rest.async.store-duration`, 5 minutes): scenario 3.
async fn counted(client: Option<&Client>, asked: Asked<'_>) -> Option<(String, u64)> {
    let checkpoints = client?.checkpoints(asked.job.parse().ok()?).await.ok()?;
    let latest = checkpoints.latest.savepoint.filter(|latest| !latest.discarded)?;
    let location = latest.external_path?;
    let own = asked.directory.trim_end_matches('/');
    let is_own = !own.is_empty()
        && without_scheme(&location)
            .strip_prefix(without_scheme(own))
            .is_some_and(|rest| rest.starts_with('/'));
    is_own.then_some((location, latest.id))
}

/// Which of the job's checkpoints a complete savepoint is: by the JobManager's statistics, or by what stands in it.
async fn number(client: Option<&Client>, storage: Storage, asked: Asked<'_>) -> Option<u64> {
    if let Some((_, id)) = counted(client, asked).await {
        return Some(id);
    }
    let stored = storage.finished_savepoint(asked.directory.to_owned()).await;
    stored.present().and_then(|(_, id)| *id)
}

/// `file:/a`, `file:///a` and `/a` are one place, and Flink answers with another form than it was asked with.
fn without_scheme(path: &str) -> &str {
    match path.strip_prefix("file:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None => path,
    }
}

/// How far a checkpoint that was asked for is; as [`savepoint`], without a directory of its own.
pub async fn asked_checkpoint(
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
pub fn ids(job: &str, trigger: &str) -> Option<(JobId, TriggerId)> {
    Some((job.parse().ok()?, trigger.parse().ok()?))
}

/// Asks for a savepoint while the job goes on running. Errors: in a sentence.
pub async fn trigger_savepoint(client: &Client, asked: Asked<'_>) -> Result<(), String> {
    let (job, trigger) = ids(asked.job, asked.trigger)
        .ok_or_else(|| format!("{} or {} is no id of Flink", asked.job, asked.trigger))?;
    client
        .trigger_savepoint(job, trigger, asked.directory, &SavepointFormat::Canonical)
        .await
        .map_err(|error| error.to_string())
}

/// Asks for the job to be stopped for good: with a savepoint, and drained, so that its sinks finish what they have open. Errors: in a
/// sentence.
pub async fn stop_drained(client: &Client, asked: Asked<'_>) -> Result<(), String> {
    let (job, trigger) = ids(asked.job, asked.trigger)
        .ok_or_else(|| format!("{} or {} is no id of Flink", asked.job, asked.trigger))?;
    client
        .stop_with_savepoint(job, trigger, asked.directory, &SavepointFormat::Canonical, true)
        .await
        .map_err(|error| error.to_string())
}

/// Carries out what the life cycle of a FlinkDeployment asks of its JobManager; whatever is not for the JobManager asks
/// nothing of it. Errors: in a sentence.
pub async fn ask(client: &Client, effect: &lifecycle::Effect) -> Result<(), String> {
    let both = |job: &str, trigger: &str| {
        ids(job, trigger).ok_or_else(|| format!("{job} or {trigger} is no id of Flink"))
    };
    let answer = match effect {
        lifecycle::Effect::StopWithSavepoint {
            job_id,
            trigger_id,
            directory,
            format,
        } => {
            let (job, trigger) = both(job_id, trigger_id)?;
            client
                .stop_with_savepoint(job, trigger, directory, &of_format(*format), false)
                .await
        }
        lifecycle::Effect::TriggerSavepoint {
            job_id,
            trigger_id,
            directory,
            format,
        } => {
            let (job, trigger) = both(job_id, trigger_id)?;
            client
                .trigger_savepoint(job, trigger, directory, &of_format(*format))
                .await
        }
        lifecycle::Effect::TriggerCheckpoint { job_id, trigger_id } => {
            let (job, trigger) = both(job_id, trigger_id)?;
            client
                .trigger_checkpoint(job, trigger, &CheckpointType::Configured)
                .await
        }
        lifecycle::Effect::CancelJob { job_id } => {
            let job = job_id.parse().map_err(|error: BadId| error.to_string())?;
            match client.cancel(job).await {
                // It has ended already, or was never there.
                Err(error) if error.is_definitive() => Ok(()),
                answer => answer,
            }
        }
        lifecycle::Effect::AddFinalizer
        | lifecycle::Effect::RemoveFinalizer
        | lifecycle::Effect::Deploy { .. }
        | lifecycle::Effect::StopCluster { .. } => Ok(()),
    };
    answer.map_err(|error| error.to_string())
}

const fn of_format(format: SavepointFormatType) -> SavepointFormat {
    match format {
        SavepointFormatType::Native => SavepointFormat::Native,
        SavepointFormatType::Canonical | SavepointFormatType::Unknown => SavepointFormat::Canonical,
    }
}

/// Disposes of a savepoint and waits for the end of it: Flink chooses the id of a disposal, so it cannot be asked after
/// once this process has forgotten it. The outer error: it could not be asked; the inner: Flink answered no.
pub async fn dispose(client: &Client, path: &str) -> Result<Result<(), String>, String> {
    let trigger = client
        .dispose_savepoint(path)
        .await
        .map_err(|error| error.to_string())?;
    let begun = Instant::now();
    while begun.elapsed() < DISPOSAL_LIMIT {
        match client.disposal_status(trigger).await {
            Ok(OperationStatus::Completed(())) => return Ok(Ok(())),
            Ok(OperationStatus::Failed { cause }) => return Ok(Err(cause.summary())),
            Ok(OperationStatus::NotKnown) => break,
            Ok(OperationStatus::InProgress) => {}
            Err(error) if error.could_not_ask() => {}
            Err(error) => return Ok(Err(error.to_string())),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("the disposal of {path} did not end"))
}

/// A savepoint's progress as the blue/green decider takes it.
pub fn savepoint_progress(progress: OperationProgress) -> SavepointProgress {
    match progress {
        OperationProgress::InProgress => SavepointProgress::InProgress,
        OperationProgress::Completed { location, id } => SavepointProgress::Completed {
            location,
            checkpoint: id,
        },
        OperationProgress::Failed { cause } => SavepointProgress::Failed { cause },
    }
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
        let savepoint = async |alive: bool, directory: &str| {
            let asked = Asked {
                job,
                trigger,
                directory,
            };
            super::savepoint(None, Storage::ThisMachine, alive, asked).await
        };
        assert_eq!(savepoint(false, &uri).await, Fact::Absent);

        let complete = directory.join("savepoint-3f3646-cb3f701014b0");
        std::fs::create_dir_all(&complete).unwrap();
        assert_eq!(savepoint(false, &uri).await, Fact::Absent);
        let head = b"\x49\x60\x67\x2d\0\0\0\x04\0\0\0\0\0\0\0\x07and the rest";
        std::fs::write(complete.join("_metadata"), head).unwrap();
        let found = Fact::Present(OperationProgress::Completed {
            location: format!("file://{}", complete.display()),
            id: Some(7),
        });
        assert_eq!(savepoint(false, &uri).await, found);
        assert_eq!(savepoint(true, &uri).await, found);

        let elsewhere = "s3://bucket/savepoints/1-1";
        assert!(savepoint(false, elsewhere).await.is_unknown());
        let file = format!("file://{}", complete.join("_metadata").display());
        assert!(savepoint(false, &file).await.is_unknown());
    }
}
