//! Jobs: their state, their vertices, and what they failed of.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;
use crate::ids::{JobId, VertexId};
use crate::trace::StackTrace;
use crate::transport::{Client, Request};
use crate::wire::{EpochMillis, open_enum, unset_below_zero};

open_enum! {
    /// The state of a job, as `org.apache.flink.api.common.JobStatus` names it.
    JobState {
        /// The JobManager prepares the job: it restores, or waits for the state's storage.
        Initializing = "INITIALIZING",
        /// No task has started.
        Created = "CREATED",
        /// The job runs; its tasks may still be starting, see [`JobDetails::all_tasks_running`].
        Running = "RUNNING",
        /// Failed, its tasks are being cancelled.
        Failing = "FAILING",
        /// Ended by a failure.
        Failed = "FAILED",
        /// Being cancelled by a user.
        Cancelling = "CANCELLING",
        /// Ended by a user.
        Canceled = "CANCELED",
        /// Ended by itself, or by a stop with a savepoint.
        Finished = "FINISHED",
        /// Failed and about to run again.
        Restarting = "RESTARTING",
        /// This JobManager gave the job up without ending it: another one may continue it.
        Suspended = "SUSPENDED",
        /// The JobManager looks for tasks that survived its predecessor.
        Reconciling = "RECONCILING",
    }
}

impl JobState {
    /// Whether the job has ended for good: finished, canceled or failed. A suspended job has not.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Failed)
    }
}

open_enum! {
    /// The state of a task, as `org.apache.flink.runtime.execution.ExecutionState` names it.
    TaskState {
        /// Not yet scheduled.
        Created = "CREATED",
        /// Waits for a slot.
        Scheduled = "SCHEDULED",
        /// On its way to a TaskManager.
        Deploying = "DEPLOYING",
        /// Restores its state.
        Initializing = "INITIALIZING",
        /// Processes records.
        Running = "RUNNING",
        /// At the end of its input.
        Finished = "FINISHED",
        /// Being cancelled.
        Canceling = "CANCELING",
        /// Cancelled.
        Canceled = "CANCELED",
        /// Failed.
        Failed = "FAILED",
        /// Looked for after a restart of the JobManager.
        Reconciling = "RECONCILING",
    }
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<JobOverview>,
}

/// One line of the list of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct JobOverview {
    /// The job's id.
    #[serde(rename = "jid")]
    pub id: JobId,
    /// The name that the program gave it.
    pub name: String,
    /// The job's state.
    pub state: JobState,
    /// When the job was taken on by this JobManager.
    #[serde(rename = "start-time")]
    pub start_time: EpochMillis,
    /// When it ended; none while it has not.
    #[serde(rename = "end-time", default, deserialize_with = "unset_below_zero")]
    pub end_time: Option<EpochMillis>,
}

/// One job in detail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct JobDetails {
    /// The job's id.
    #[serde(rename = "jid")]
    pub id: JobId,
    /// The name that the program gave it.
    pub name: String,
    /// The job's state.
    pub state: JobState,
    /// When the job was taken on by this JobManager.
    #[serde(rename = "start-time")]
    pub start_time: EpochMillis,
    /// When it ended; none while it has not.
    #[serde(rename = "end-time", default, deserialize_with = "unset_below_zero")]
    pub end_time: Option<EpochMillis>,
    /// When the job last entered each state; 0 for a state that it has not been in. See [`JobDetails::entered`].
    #[serde(default)]
    pub timestamps: BTreeMap<String, EpochMillis>,
    /// The job's vertices, from the sources on; none of a job that ended before it had any.
    #[serde(default)]
    pub vertices: Vec<Vertex>,
}

/// One vertex of a job: a chain of operators, run by `parallelism` tasks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Vertex {
    /// The vertex's id.
    pub id: VertexId,
    /// The names of its operators.
    pub name: String,
    /// How many tasks run it.
    pub parallelism: u32,
    /// How many tasks may ever run it (the number of key groups); negative where the JobManager has not decided.
    #[serde(rename = "maxParallelism", default)]
    pub max_parallelism: i64,
    /// The tasks' states put together.
    pub status: TaskState,
    /// When its first task was deployed; none while none has.
    #[serde(rename = "start-time", default, deserialize_with = "unset_below_zero")]
    pub start_time: Option<EpochMillis>,
    /// How many of its tasks are in each state, by Flink's name of the state. See [`Vertex::tasks_in`].
    #[serde(default)]
    pub tasks: BTreeMap<String, u32>,
}

impl JobDetails {
    /// When the job last entered `state`; none if it has not.
    pub fn entered(&self, state: &JobState) -> Option<EpochMillis> {
        self.timestamps
            .get(state.as_str())
            .copied()
            .filter(|millis| *millis > 0)
    }

    /// Whether the job is RUNNING and each of its tasks is, or has finished its input: Flink says RUNNING of a job
    /// as soon as it begins to look for slots.
    pub fn all_tasks_running(&self) -> bool {
        self.state == JobState::Running
            && !self.vertices.is_empty()
            && self.vertices.iter().all(|vertex| {
                vertex.tasks_in(&TaskState::Running) + vertex.tasks_in(&TaskState::Finished)
                    == vertex.parallelism
            })
    }
}

impl From<JobOverview> for JobDetails {
    /// What the list of jobs tells of one that has ended: no vertices, and of its past only how it ended.
    fn from(listed: JobOverview) -> Self {
        let ended = listed
            .end_time
            .map(|time| (listed.state.as_str().to_owned(), time));
        Self {
            id: listed.id,
            name: listed.name,
            state: listed.state,
            start_time: listed.start_time,
            end_time: listed.end_time,
            timestamps: ended.into_iter().collect(),
            vertices: Vec::new(),
        }
    }
}

impl Vertex {
    /// How many tasks of the vertex are in `state`.
    pub fn tasks_in(&self, state: &TaskState) -> u32 {
        self.tasks.get(state.as_str()).copied().unwrap_or_default()
    }
}

/// What a job failed of, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct JobExceptions {
    /// The newest failure of the job; none if it has not failed.
    pub root: Option<Failure>,
    /// The failures that the JobManager remembers, newest first, `root` included.
    pub history: Vec<Failure>,
    /// Whether it has forgotten older ones.
    pub truncated: bool,
}

/// One failure of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The class of the outermost exception; not known where only 1.20's old form is there.
    #[serde(rename = "exceptionName", default)]
    pub exception: Option<String>,
    /// The stack trace. [`StackTrace::root_cause`] is what a user must read.
    #[serde(rename = "stacktrace")]
    pub trace: StackTrace,
    /// When it happened.
    pub timestamp: EpochMillis,
    /// The task that failed, as in `step (1/2)`; none for a failure of the whole job.
    #[serde(rename = "taskName", default)]
    pub task: Option<String>,
    /// The TaskManager where it ran.
    #[serde(rename = "taskManagerId", default)]
    pub task_manager: Option<String>,
    /// Failures of other tasks at the same moment.
    #[serde(rename = "concurrentExceptions", default)]
    pub concurrent: Vec<Failure>,
}

/// Both forms: 1.20 has `root-exception` beside the history, 2.x the history alone.
#[derive(Deserialize)]
struct ExceptionsAnswer {
    #[serde(rename = "root-exception", default)]
    root_exception: Option<StackTrace>,
    #[serde(default)]
    timestamp: Option<EpochMillis>,
    #[serde(rename = "exceptionHistory", default)]
    history: Option<ExceptionHistory>,
}

#[derive(Deserialize)]
struct ExceptionHistory {
    entries: Vec<Failure>,
    #[serde(default)]
    truncated: bool,
}

impl From<ExceptionsAnswer> for JobExceptions {
    fn from(answer: ExceptionsAnswer) -> Self {
        let (history, truncated) = answer
            .history
            .map_or_else(Default::default, |history| (history.entries, history.truncated));
        let root = history.first().cloned().or_else(|| {
            Some(Failure {
                exception: None,
                trace: answer.root_exception?,
                timestamp: answer.timestamp.unwrap_or_default(),
                task: None,
                task_manager: None,
                concurrent: Vec::new(),
            })
        });
        Self {
            root,
            history,
            truncated,
        }
    }
}

impl Client {
    /// All jobs that the JobManager knows, the ended ones that it still remembers among them.
    pub async fn jobs(&self) -> Result<Vec<JobOverview>, Error> {
        let answer: Jobs = self.ask(Request::get("/jobs/overview")).await?;
        Ok(answer.jobs)
    }

    /// One job. The JobManager answers from a cache that may be 3 s old (`web.refresh-interval`).
    ///
    /// A job whose main method failed before it made a job graph has no details on 1.20: `JobDetailsHandler` fails at
    /// the missing plan, with status 500, however often it is asked (measured on 1.20.5; 2.3.0 answers). The list of
    /// jobs has it all the same. An ended job does not change any more, so what the list says of it is answered here
    /// in its place; of a job that has not ended, the refusal is returned.
    pub async fn job(&self, job: JobId) -> Result<JobDetails, Error> {
        match self.ask(Request::get(format!("/jobs/{job}"))).await {
            Err(refusal @ Error::Refused { status: 500, .. }) => {
                let listed = self.jobs().await.unwrap_or_default();
                let ended = listed
                    .into_iter()
                    .find(|listed| listed.id == job && listed.state.is_terminal());
                ended.map(JobDetails::from).ok_or(refusal)
            }
            answer => answer,
        }
    }

    /// What the job failed of.
    pub async fn job_exceptions(&self, job: JobId) -> Result<JobExceptions, Error> {
        let answer: ExceptionsAnswer = self.ask(Request::get(format!("/jobs/{job}/exceptions"))).await?;
        Ok(answer.into())
    }
}
