//! Typed client for the REST API of a Flink JobManager, 1.20 and 2.x.
//!
//! [`Client`] asks one JobManager; it repeats nothing by itself and concludes nothing, but that a job which the list
//! calls ended has ended ([`Client::job`]). [`Error`] keeps "it answered
//! no" apart from "it could not be asked". Fields of an answer that this client does not know are ignored, and names
//! that it does not know are kept as `Other`, so a newer Flink is not an error.
//!
//! # Trigger ids, as measured on 1.20.5 and 2.3.0
//!
//! A savepoint, a stop with a savepoint and a checkpoint are started under a [`TriggerId`] that the caller chooses.
//! So a caller that stores the id first can repeat the request after any failure.
//!
//! | request | answer | effect |
//! |---|---|---|
//! | savepoint, same id again while it runs | 202, the same id | none: one savepoint |
//! | savepoint, same id again after it completed | 202, the same id | none: the same location is answered |
//! | stop, same id again while it runs, or after it completed | 202, the same id | none |
//! | stop with the id of a finished savepoint of the job | 202, the same id | **none: the job runs on**, and the savepoint's location is answered |
//! | savepoint of a job that is not there | 202 | polled: [`OperationStatus::Failed`], `FlinkJobNotFoundException` |
//! | the same id again after a failure | 202 | none: the same failure is answered; a retry needs a new id |
//! | poll of an id that was never sent | 404 | [`OperationStatus::NotKnown`] |
//! | poll after a restart of the JobManager | 404 | [`OperationStatus::NotKnown`]; the same id would start a new savepoint |
//! | disposal with an id of ours | the id is ignored | each request is a new disposal, under an id that Flink chooses |
//!
//! The ids are kept in the JobManager's memory, per job, savepoints and stops together, for
//! `rest.async.store-duration` (5 min by default) after the operation's end. After a stop in application mode the
//! JobManager ends as well, about a second after the result was read.
//!
//! # Where an answer may be old
//!
//! `/jobs/:id`, its exceptions, its checkpoints and its watermarks come from a copy of the job that the JobManager
//! renews every `web.refresh-interval` (3 s by default; on 2.x `rest.cache.checkpoint-statistics.timeout` for checkpoints); metrics are fetched from the TaskManagers every
//! `metrics.fetcher.update-interval` (10 s by default). The list of jobs and the status of operations are current.

mod checkpoints;
mod cluster;
mod error;
mod ids;
mod jobs;
mod metrics;
mod operations;
mod trace;
mod transport;
mod wire;

pub use checkpoints::{
    Checkpoint, CheckpointConfig, CheckpointCounts, CheckpointStatus, Checkpoints, Externalization,
    LatestCheckpoints, RestoredCheckpoint,
};
pub use cluster::{ClusterConfig, ClusterOverview, TaskManager};
pub use error::Error;
pub use ids::{BadId, JobId, TriggerId, VertexId};
pub use jobs::{Failure, JobDetails, JobExceptions, JobOverview, JobState, TaskState, Vertex};
pub use metrics::{Aggregated, Aggregation, Metrics, SubtaskWatermark};
pub use operations::{CheckpointType, OperationStatus, SavepointFormat};
pub use trace::StackTrace;
pub use transport::{Client, Options, Tls, http_client};
pub use wire::EpochMillis;
