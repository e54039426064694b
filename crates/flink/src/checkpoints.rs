//! Checkpoints and savepoints of a job, as its statistics know them.

use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::ids::JobId;
use crate::operations::SavepointFormat;
use crate::transport::{Client, Request};
use crate::wire::{EpochMillis, open_enum, unset_below_zero};

open_enum! {
    /// How far a checkpoint is.
    CheckpointStatus {
        /// Not all tasks have acknowledged it.
        InProgress = "IN_PROGRESS",
        /// Complete, and usable for restoring as long as it is not discarded.
        Completed = "COMPLETED",
        /// Given up.
        Failed = "FAILED",
    }
}

/// The statistics of a job's checkpoints. They begin anew with each JobManager, except for `latest.restored`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Checkpoints {
    /// How many there have been.
    pub counts: CheckpointCounts,
    /// The newest of each kind.
    pub latest: LatestCheckpoints,
    /// The newest ones (`web.checkpoints.history`, 10 by default), newest first, savepoints among them.
    #[serde(default)]
    pub history: Vec<Checkpoint>,
}

/// Numbers of checkpoints since the JobManager took the job on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CheckpointCounts {
    /// How often the job was restored from one.
    pub restored: u64,
    /// All that were triggered.
    pub total: u64,
    /// Those under way.
    pub in_progress: u64,
    /// Those that completed.
    pub completed: u64,
    /// Those that failed.
    pub failed: u64,
}

/// The newest checkpoint of each kind; none where there has been none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LatestCheckpoints {
    /// The newest completed checkpoint that is not a savepoint.
    #[serde(default)]
    pub completed: Option<Checkpoint>,
    /// The newest completed savepoint.
    #[serde(default)]
    pub savepoint: Option<Checkpoint>,
    /// The newest failed one.
    #[serde(default)]
    pub failed: Option<Checkpoint>,
    /// What the job was last restored from.
    #[serde(default)]
    pub restored: Option<RestoredCheckpoint>,
}

/// One checkpoint or savepoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Checkpoint {
    /// Its number within the job; it grows.
    pub id: u64,
    /// How far it is.
    pub status: CheckpointStatus,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// The savepoint's format; none for a checkpoint.
    #[serde(rename = "savepointFormat", default)]
    pub savepoint_format: Option<SavepointFormat>,
    /// When it was triggered.
    pub trigger_timestamp: EpochMillis,
    /// When the last task acknowledged it; none before the first has.
    #[serde(default, deserialize_with = "unset_below_zero")]
    pub latest_ack_timestamp: Option<EpochMillis>,
    /// Milliseconds from the trigger to the last acknowledgement, or until now.
    #[serde(
        rename = "end_to_end_duration",
        default,
        deserialize_with = "unset_below_zero"
    )]
    pub duration_millis: Option<i64>,
    /// Size of the whole state, in bytes.
    #[serde(default)]
    pub state_size: i64,
    /// Bytes that this checkpoint itself wrote: less than `state_size` when incremental.
    #[serde(default)]
    pub checkpointed_size: i64,
    /// Where a job can be restored from; only for a completed one, and none where the storage has no address.
    #[serde(default, deserialize_with = "addressable")]
    pub external_path: Option<String>,
    /// Whether it has been deleted since: then `external_path` leads nowhere.
    #[serde(default)]
    pub discarded: bool,
    /// Why it failed.
    #[serde(default)]
    pub failure_message: Option<String>,
    /// When it failed.
    #[serde(default)]
    pub failure_timestamp: Option<EpochMillis>,
}

/// What a job was restored from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RestoredCheckpoint {
    /// The checkpoint's number within the job that took it.
    pub id: u64,
    /// When it was restored.
    pub restore_timestamp: EpochMillis,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// Where it lies.
    #[serde(default, deserialize_with = "addressable")]
    pub external_path: Option<String>,
}

/// How the job checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CheckpointConfig {
    /// `exactly_once` or `at_least_once`.
    pub mode: String,
    /// Milliseconds between two checkpoints; `i64::MAX` means that none are taken by themselves.
    pub interval: i64,
    /// Milliseconds after which one is given up.
    pub timeout: i64,
    /// Least milliseconds between the end of one and the start of the next.
    pub min_pause: i64,
    /// How many may be under way at once.
    pub max_concurrent: i64,
    /// Whether barriers overtake records.
    #[serde(default)]
    pub unaligned_checkpoints: bool,
    /// The class of the state backend.
    #[serde(default)]
    pub state_backend: Option<String>,
    /// The class of the checkpoint storage.
    #[serde(default)]
    pub checkpoint_storage: Option<String>,
    /// What becomes of the checkpoints when the job ends.
    pub externalization: Externalization,
}

/// What becomes of checkpoints when the job is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Externalization {
    /// Whether checkpoints outlive the job at all.
    pub enabled: bool,
    /// Whether cancelling the job deletes them.
    pub delete_on_cancellation: bool,
}

/// Flink writes a text in angle brackets for a checkpoint in the JobManager's memory.
fn addressable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(
        Option::<String>::deserialize(deserializer)?
            .filter(|path| !path.is_empty() && !path.starts_with('<')),
    )
}

impl Client {
    /// The statistics of the job's checkpoints. They come from a cache that may be 3 s old (`web.refresh-interval`).
    ///
    /// A job without checkpointing may be answered with [`Error::NotFound`].
    pub async fn checkpoints(&self, job: JobId) -> Result<Checkpoints, Error> {
        self.ask(Request::get(format!("/jobs/{job}/checkpoints"))).await
    }

    /// How the job checkpoints.
    pub async fn checkpoint_config(&self, job: JobId) -> Result<CheckpointConfig, Error> {
        self.ask(Request::get(format!("/jobs/{job}/checkpoints/config")))
            .await
    }
}
