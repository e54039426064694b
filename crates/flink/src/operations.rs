//! Asynchronous operations: trigger with an id of our own, then poll.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::ids::{JobId, TriggerId};
use crate::trace::StackTrace;
use crate::transport::{Client, Request};
use crate::wire::open_enum;

/// How far an asynchronous operation is. `T` is its result: a savepoint's location, a checkpoint's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStatus<T> {
    /// Accepted and not finished.
    InProgress,
    /// Finished, with its result.
    Completed(T),
    /// Finished without a result. The JobManager keeps this answer for the id: a retry needs a new trigger id.
    Failed {
        /// Why, in Flink's words; [`StackTrace::summary`] is one line.
        cause: StackTrace,
    },
    /// The JobManager does not know the trigger id: never asked, asked of a JobManager that has been restarted since,
    /// or finished longer ago than `rest.async.store-duration` (5 min). It says nothing about success or failure.
    NotKnown,
}

open_enum! {
    /// The format of a savepoint.
    SavepointFormat {
        /// The same for every state backend; the default.
        Canonical = "CANONICAL",
        /// The state backend's own: faster to take and to restore.
        Native = "NATIVE",
    }
}

open_enum! {
    /// What a triggered checkpoint contains.
    CheckpointType {
        /// As the job is configured.
        Configured = "CONFIGURED",
        /// All state.
        Full = "FULL",
        /// Only what changed, where the state backend can.
        Incremental = "INCREMENTAL",
    }
}

#[derive(Deserialize)]
struct Triggered {
    #[serde(rename = "request-id")]
    request_id: TriggerId,
}

#[derive(Deserialize)]
struct Polled {
    status: PolledStatus,
    operation: Option<PolledOperation>,
}

#[derive(Deserialize)]
struct PolledStatus {
    id: String,
}

#[derive(Deserialize, Default)]
struct PolledOperation {
    location: Option<String>,
    #[serde(rename = "checkpointId")]
    checkpoint_id: Option<u64>,
    #[serde(rename = "failure-cause")]
    failure_cause: Option<FailureCause>,
}

#[derive(Deserialize)]
struct FailureCause {
    class: String,
    #[serde(rename = "stack-trace")]
    stack_trace: Option<String>,
}

impl Client {
    /// Triggers a savepoint under `target_directory` (a URI such as `s3://bucket/savepoints`), with an id chosen by
    /// the caller. The same id again is the same savepoint, as long as this JobManager lives: see the crate's page.
    ///
    /// An accepted request says nothing yet, not even that the job exists: poll with [`Client::savepoint_status`].
    pub async fn trigger_savepoint(
        &self,
        job: JobId,
        trigger: TriggerId,
        target_directory: &str,
        format: &SavepointFormat,
    ) -> Result<(), Error> {
        let body = json!({
            "target-directory": target_directory,
            "cancel-job": false,
            "formatType": format,
            "triggerId": trigger,
        });
        self.trigger(Request::post(format!("/jobs/{job}/savepoints"), body), trigger)
            .await
    }

    /// How far a savepoint, or a stop with a savepoint, is. Its result is the savepoint's location.
    pub async fn savepoint_status(
        &self,
        job: JobId,
        trigger: TriggerId,
    ) -> Result<OperationStatus<String>, Error> {
        self.poll(format!("/jobs/{job}/savepoints/{trigger}"), |operation| {
            operation.location
        })
        .await
    }

    /// Stops the job with a savepoint, with an id chosen by the caller; poll with [`Client::savepoint_status`].
    ///
    /// `drain` sends the maximum watermark first, so that windows fire: only for a job that will not go on.
    /// The id must not be that of an earlier savepoint of this job: the JobManager would accept it and do nothing.
    pub async fn stop_with_savepoint(
        &self,
        job: JobId,
        trigger: TriggerId,
        target_directory: &str,
        format: &SavepointFormat,
        drain: bool,
    ) -> Result<(), Error> {
        let body = json!({
            "targetDirectory": target_directory,
            "drain": drain,
            "formatType": format,
            "triggerId": trigger,
        });
        self.trigger(Request::post(format!("/jobs/{job}/stop"), body), trigger)
            .await
    }

    /// Triggers a checkpoint, with an id chosen by the caller; poll with [`Client::checkpoint_status`].
    pub async fn trigger_checkpoint(
        &self,
        job: JobId,
        trigger: TriggerId,
        kind: &CheckpointType,
    ) -> Result<(), Error> {
        let body = json!({ "checkpointType": kind, "triggerId": trigger });
        self.trigger(Request::post(format!("/jobs/{job}/checkpoints"), body), trigger)
            .await
    }

    /// How far a triggered checkpoint is. Its result is the checkpoint's id.
    pub async fn checkpoint_status(
        &self,
        job: JobId,
        trigger: TriggerId,
    ) -> Result<OperationStatus<u64>, Error> {
        self.poll(format!("/jobs/{job}/checkpoints/{trigger}"), |operation| {
            operation.checkpoint_id
        })
        .await
    }

    /// Cancels the job. Accepted is not done: look at the job's state. A job that is being cancelled accepts it
    /// again; one that has ended otherwise refuses with status 409.
    pub async fn cancel(&self, job: JobId) -> Result<(), Error> {
        let request = Request::with(Method::PATCH, format!("/jobs/{job}"));
        self.tell(request.query(&[("mode", "cancel")])).await
    }

    /// Disposes of the savepoint at `location`: deletes its files, those that it alone owns.
    ///
    /// Flink does not take an id from the caller here (it ignores one, on 1.20 and 2.x): the id to poll with is
    /// returned, and a repeated request is a second disposal, which fails because the files are gone.
    pub async fn dispose_savepoint(&self, location: &str) -> Result<TriggerId, Error> {
        let request = Request::post("/savepoint-disposal", json!({ "savepoint-path": location }));
        let triggered: Triggered = self.ask(request).await?;
        Ok(triggered.request_id)
    }

    /// How far the disposal of a savepoint is.
    pub async fn disposal_status(&self, trigger: TriggerId) -> Result<OperationStatus<()>, Error> {
        self.poll(format!("/savepoint-disposal/{trigger}"), |_| Some(()))
            .await
    }

    /// Shuts the cluster down: the JobManager's process ends soon after the answer. Stop or cancel its jobs first.
    pub async fn shut_down_cluster(&self) -> Result<(), Error> {
        self.tell(Request::with(Method::DELETE, "/cluster")).await
    }

    async fn trigger(&self, request: Request<'_>, trigger: TriggerId) -> Result<(), Error> {
        let call = request.call();
        let triggered: Triggered = self.ask(request).await?;
        if triggered.request_id == trigger {
            return Ok(());
        }
        // A Flink that ignores our id would start one more savepoint at every repetition.
        let detail = format!(
            "the operation was started as {} and not as {trigger}, the id that was sent",
            triggered.request_id
        );
        Err(self.unreadable(&call, detail))
    }

    async fn poll<T>(
        &self,
        path: String,
        result: impl FnOnce(PolledOperation) -> Option<T>,
    ) -> Result<OperationStatus<T>, Error> {
        let request = Request::get(path);
        let call = request.call();
        let polled: Polled = match self.ask(request).await {
            Err(error) if error.is_not_found() => return Ok(OperationStatus::NotKnown),
            answer => answer?,
        };
        match polled.status.id.as_str() {
            "IN_PROGRESS" => Ok(OperationStatus::InProgress),
            "COMPLETED" => {
                // A disposal that succeeded has no operation part.
                let mut operation = polled.operation.unwrap_or_default();
                if let Some(failure) = operation.failure_cause.take() {
                    let cause = StackTrace::new(failure.stack_trace.unwrap_or(failure.class));
                    return Ok(OperationStatus::Failed { cause });
                }
                result(operation).map(OperationStatus::Completed).ok_or_else(|| {
                    self.unreadable(
                        &call,
                        "the operation is COMPLETED, with neither a result nor a failure".to_owned(),
                    )
                })
            }
            other => Err(self.unreadable(
                &call,
                format!("the operation's status is \"{other}\", not IN_PROGRESS or COMPLETED"),
            )),
        }
    }
}
