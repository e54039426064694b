//! All that a decision about one `FlinkDeployment` may depend on.

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_api::flink_deployment::FlinkJobState;

use crate::Fact;

/// All that a decision may depend on, besides the time.
///
/// A shell reads the facts in the order of these fields: the resource first, the checkpoint last. So "the cluster is
/// gone" together with a checkpoint means: the last checkpoint that it will ever have completed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource itself, as read.
    pub resource: FlinkDeployment,
    /// The largest deployment number that was ever launched for this uid, as far as the launcher remembers; 0: none.
    pub last_launched: u64,
    /// The launched cluster; a dead one stays to be seen until the next one is launched.
    pub cluster: Fact<Cluster>,
    /// The job [`super::Record::job_id`], as its JobManager tells. `Absent`: the JobManager answers and does not know the
    /// job (yet); `Unknown`: no JobManager answers.
    pub job: Fact<JobView>,
    /// What is known of the operation that [`super::asked_operations`] names, one each; empty where none was asked about.
    pub operations: Vec<OperationObservation>,
    /// The last completed checkpoint of the job, from its JobManager or, if none answers, from where checkpoints are
    /// kept. `Absent`: it is known that there is none. Without a record there is no job to ask about: `Absent`, too.
    pub checkpoint: Fact<CompletedCheckpoint>,
    /// What could not be carried out since the last success, in the words of whoever refused it
    /// (a full disk, a missing jar); quoted in the status.
    pub failures: Vec<String>,
}

/// The JobManager and TaskManagers of one deployment, as the launcher sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The number of the deployment that it was launched for.
    pub deployment: u64,
    /// Whether its JobManager runs. A cluster counts as dead only when none of its processes can write any more:
    /// the launcher ends the TaskManagers of a dead JobManager before it says so.
    pub alive: bool,
    /// Why it ended: the exit status and the last lines of the error.
    pub exit: Option<String>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// What it was started from, if the launcher remembers; used only if the record was lost.
    pub restored_from: Option<String>,
}

/// One job, as its JobManager tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// Its id, 32 hexadecimal digits.
    pub job_id: String,
    /// Its name.
    pub name: Option<String>,
    /// Flink's state of it.
    pub state: FlinkJobState,
    /// When it was submitted.
    pub start_time: Option<Timestamp>,
    /// Whether every task of it is RUNNING (or FINISHED beside running ones).
    pub all_tasks_running: bool,
    /// When the job last became RUNNING: Flink's `timestamps.RUNNING`. It moves with every restart, and tells of it
    /// sooner than the metric `numRestarts`, which comes up to 10 s late (`metrics.fetcher.update-interval`).
    pub running_since: Option<Timestamp>,
    /// The last exception, one line.
    pub exception: Option<String>,
    /// The checkpoint or savepoint that it restored, by its number.
    pub restored_checkpoint: Option<u64>,
}

/// A completed checkpoint that a job can be started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedCheckpoint {
    /// The job that completed it; another job's is not looked at.
    pub job_id: String,
    /// Its number in its job.
    pub id: u64,
    /// Where it is; empty if it is kept where no later job can find it (in the JobManager's memory).
    pub path: String,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// What Flink says of one savepoint or checkpoint request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationObservation {
    /// The trigger id that was asked about.
    pub trigger_id: String,
    /// The answer: `Absent` means that the JobManager does not know this id (it was not sent, or the JobManager has
    /// gone, or the result has expired) and no finished savepoint stands in the attempt's own directory.
    pub progress: Fact<OperationProgress>,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationProgress {
    /// Accepted and not finished.
    InProgress,
    /// Complete.
    Completed {
        /// Where the savepoint is; empty for a checkpoint.
        location: String,
        /// Its number in its job, if known (a savepoint's `_metadata` begins with it).
        id: Option<u64>,
    },
    /// Failed.
    Failed {
        /// Flink's words.
        cause: String,
    },
}
