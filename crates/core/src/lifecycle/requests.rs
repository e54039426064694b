//! Savepoints and checkpoints: how they are asked for, and those that a person asked for by a nonce.

use jiff::{SignedDuration, Timestamp};
use sluice_api::configuration::{flatten, parse_duration};
use sluice_api::flink_deployment::{
    Checkpoint, JobStatus, Savepoint, SavepointFormatType, SavepointInfo, SnapshotTriggerType,
};
use sluice_api::validation::ValidDeployment;

use super::observed::OperationProgress;
use super::pass::{Draft, Obstacle, Pass, one_line};
use super::record::{CheckpointRequest, SavepointRequest, Step};
use crate::{Event, Fact, identity};

/// How often a savepoint is tried.
pub(super) const ATTEMPTS: u32 = 3;
/// What a person is told where a savepoint has no place to go.
pub(super) const NO_DIRECTORY: &str = "spec.flinkConfiguration: found no directory for savepoints, expected `execution.checkpointing.savepoint-dir`, such as `s3://bucket/savepoints`";
/// Beyond Flink's own timeout, so that Flink's words are heard first.
const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// Flink's default of `execution.checkpointing.timeout`.
const CHECKPOINT_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);
/// How many savepoints the status lists.
const HISTORY: usize = 10;

/// Which attempt a request is.
pub(super) struct Attempt {
    number: u32,
    nonce: Option<i64>,
    not_before: Option<Timestamp>,
    last_failure: Option<String>,
}

impl Attempt {
    /// The first, for a stop.
    pub(super) const fn first() -> Self {
        Self {
            number: 1,
            nonce: None,
            not_before: None,
            last_failure: None,
        }
    }

    const fn by_hand(nonce: i64) -> Self {
        Self {
            number: 1,
            nonce: Some(nonce),
            not_before: None,
            last_failure: None,
        }
    }

    /// The one after a failed one, a little later.
    pub(super) fn after(pass: &Pass<'_>, failed: &SavepointRequest, cause: String) -> Self {
        Self {
            number: failed.attempt.saturating_add(1),
            nonce: failed.nonce,
            not_before: Some(pass.now + pause_before_next(failed.attempt)),
            last_failure: Some(cause),
        }
    }
}

fn pause_before_next(attempt: u32) -> SignedDuration {
    SignedDuration::from_secs(2_i64.saturating_mul(i64::from(attempt)))
}

/// A new request; `None`: there is no directory for it. Every request of a deployment has a number of its own.
pub(super) fn savepoint_request(
    pass: &Pass<'_>,
    draft: &mut Draft,
    attempt: &Attempt,
) -> Option<SavepointRequest> {
    let deployed = draft
        .deployed
        .flink_configuration
        .as_ref()
        .map(flatten)
        .unwrap_or_default();
    let of_present = pass
        .present
        .as_ref()
        .ok()
        .and_then(|present| present.savepoint_directory.clone());
    let of_deployed = ["execution.checkpointing.savepoint-dir", "state.savepoints.dir"]
        .iter()
        .find_map(|key| deployed.get(*key))
        .filter(|path| !path.trim().is_empty())
        .cloned();
    let base = of_present.or(of_deployed)?;
    let format = match deployed
        .get("kubernetes.operator.savepoint.format.type")
        .map(String::as_str)
    {
        Some("NATIVE") => SavepointFormatType::Native,
        Some(_) | None => SavepointFormatType::Canonical,
    };
    let number = draft.record.savepoints.saturating_add(1);
    draft.record.savepoints = number;
    let deployment = draft.record.deployment;
    Some(SavepointRequest {
        trigger_id: identity::trigger_id(pass.uid(), "savepoint", deployment, number),
        directory: identity::savepoint_directory(&base, pass.uid(), deployment, number),
        format,
        since: pass.now,
        deadline: deadline(draft, attempt.not_before.unwrap_or(pass.now)),
        attempt: attempt.number,
        not_before: attempt.not_before,
        last_failure: attempt.last_failure.clone(),
        nonce: attempt.nonce,
    })
}

fn checkpoint_request(pass: &Pass<'_>, draft: &mut Draft, nonce: i64, attempt: u32) -> CheckpointRequest {
    let number = draft.record.checkpoints.saturating_add(1);
    draft.record.checkpoints = number;
    CheckpointRequest {
        trigger_id: identity::trigger_id(pass.uid(), "checkpoint", draft.record.deployment, number),
        attempt,
        since: pass.now,
        deadline: deadline(draft, pass.now),
        nonce,
    }
}

fn deadline(draft: &Draft, from: Timestamp) -> Timestamp {
    let deployed = draft
        .deployed
        .flink_configuration
        .as_ref()
        .map(flatten)
        .unwrap_or_default();
    let timeout = deployed
        .get("execution.checkpointing.timeout")
        .and_then(|text| parse_duration(text).ok())
        .unwrap_or(CHECKPOINT_TIMEOUT);
    from.checked_add(timeout)
        .and_then(|end| end.checked_add(GRACE))
        .unwrap_or(Timestamp::MAX)
}

/// Records what an edit asks for by its nonces; `false`: not now, an earlier one is under way or there is no directory.
pub(super) fn request(pass: &Pass<'_>, draft: &mut Draft, present: &ValidDeployment) -> bool {
    let deployed = draft.deployed.job.clone().unwrap_or_default();
    let wants = |old: Option<i64>, new: Option<i64>| new.filter(|_| new != old);
    let savepoint = wants(
        deployed.savepoint_trigger_nonce,
        present.job.savepoint_trigger_nonce,
    );
    let checkpoint = wants(
        deployed.checkpoint_trigger_nonce,
        present.job.checkpoint_trigger_nonce,
    );
    // A job that has ended has nothing to be saved; the nonces are only noted.
    if matches!(draft.record.step, Step::Ended { .. }) {
        return true;
    }
    if (savepoint.is_some() && draft.record.savepoint.is_some())
        || (checkpoint.is_some() && draft.record.checkpoint.is_some())
    {
        return false;
    }
    if let Some(nonce) = savepoint {
        let Some(request) = savepoint_request(pass, draft, &Attempt::by_hand(nonce)) else {
            draft.obstacle = Some(Obstacle::Person(NO_DIRECTORY.to_owned()));
            return false;
        };
        draft.events.push(Event::normal(
            "SavepointRequested",
            format!("Savepoint {nonce} is wanted in {}", request.directory),
        ));
        draft.record.savepoint = Some(request);
    }
    if let Some(nonce) = checkpoint {
        let request = checkpoint_request(pass, draft, nonce, 1);
        draft.events.push(Event::normal(
            "CheckpointRequested",
            format!("Checkpoint {nonce} is wanted"),
        ));
        draft.record.checkpoint = Some(request);
    }
    true
}

/// What has become of the requests made by hand.
pub(super) fn advance(pass: &Pass<'_>, draft: &mut Draft) {
    if let Some(request) = draft.record.savepoint.clone() {
        match outcome(pass, &request.trigger_id, request.deadline) {
            Outcome::Open => {}
            Outcome::Completed(location) => {
                note_savepoint(pass, draft, &request, &location, SnapshotTriggerType::Manual);
                draft.record.savepoint = None;
                draft.events.push(Event::normal(
                    "SavepointCompleted",
                    format!("The savepoint is complete: {location}"),
                ));
            }
            Outcome::Failed(cause) => savepoint_failed(pass, draft, &request, &cause),
        }
    }
    if let Some(request) = draft.record.checkpoint.clone() {
        match outcome(pass, &request.trigger_id, request.deadline) {
            Outcome::Open => {}
            Outcome::Completed(_) => {
                note_checkpoint(pass, draft, &request);
                draft.record.checkpoint = None;
                draft
                    .events
                    .push(Event::normal("CheckpointCompleted", "The checkpoint is complete"));
            }
            Outcome::Failed(cause) => {
                draft.events.push(Event::warning(
                    "CheckpointFailed",
                    format!("A checkpoint failed: {cause}"),
                ));
                let next = (request.attempt < ATTEMPTS)
                    .then(|| checkpoint_request(pass, draft, request.nonce, request.attempt + 1));
                draft.record.checkpoint = next;
            }
        }
    }
}

fn savepoint_failed(pass: &Pass<'_>, draft: &mut Draft, request: &SavepointRequest, cause: &str) {
    draft.events.push(Event::warning(
        "SavepointFailed",
        format!(
            "Attempt {} of {ATTEMPTS} at a savepoint failed: {cause}",
            request.attempt
        ),
    ));
    let next = (request.attempt < ATTEMPTS)
        .then(|| Attempt::after(pass, request, cause.to_owned()))
        .and_then(|attempt| savepoint_request(pass, draft, &attempt));
    draft.record.savepoint = next;
}

enum Outcome {
    Open,
    Completed(String),
    Failed(String),
}

fn outcome(pass: &Pass<'_>, trigger_id: &str, deadline: Timestamp) -> Outcome {
    match pass.operation(trigger_id) {
        Fact::Present(OperationProgress::Completed { location, .. }) => Outcome::Completed(location.clone()),
        Fact::Present(OperationProgress::Failed { cause }) => Outcome::Failed(one_line(cause)),
        Fact::Present(OperationProgress::InProgress) | Fact::Absent | Fact::Unknown(_) => {
            if pass.now >= deadline {
                Outcome::Failed("it was not finished in time".to_owned())
            } else {
                Outcome::Open
            }
        }
    }
}

/// Gives up what was asked for by hand, because the job ends.
pub(super) fn drop_requests(draft: &mut Draft) {
    if draft.record.savepoint.take().is_some() || draft.record.checkpoint.take().is_some() {
        draft.record.checkpoint = None;
        draft.events.push(Event::warning(
            "RequestDropped",
            "A savepoint or checkpoint that was asked for is given up, because the job ends",
        ));
    }
}

/// Notes a complete savepoint in the status.
pub(super) fn note_savepoint(
    pass: &Pass<'_>,
    draft: &mut Draft,
    request: &SavepointRequest,
    location: &str,
    trigger_type: SnapshotTriggerType,
) {
    let savepoint = Savepoint {
        time_stamp: Some(pass.now.as_millisecond()),
        location: Some(location.to_owned()),
        trigger_type: Some(trigger_type),
        format_type: Some(request.format),
        trigger_nonce: request.nonce,
        ..Savepoint::default()
    };
    let info = draft
        .status
        .job_status
        .get_or_insert_with(JobStatus::default)
        .savepoint_info
        .get_or_insert_with(SavepointInfo::default);
    info.savepoint_history.push(savepoint.clone());
    let surplus = info.savepoint_history.len().saturating_sub(HISTORY);
    info.savepoint_history.drain(..surplus);
    info.last_savepoint = Some(savepoint);
}

fn note_checkpoint(pass: &Pass<'_>, draft: &mut Draft, request: &CheckpointRequest) {
    let info = draft
        .status
        .job_status
        .get_or_insert_with(JobStatus::default)
        .checkpoint_info
        .get_or_insert_default();
    info.last_checkpoint = Some(Checkpoint {
        time_stamp: Some(pass.now.as_millisecond()),
        trigger_type: Some(SnapshotTriggerType::Manual),
        format_type: None,
        trigger_nonce: Some(request.nonce),
        ..Checkpoint::default()
    });
}
