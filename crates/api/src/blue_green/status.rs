//! What Sluice records in the status of a FlinkBlueGreenDeployment: upstream's fields and its own.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::handover::{LedgerStatus, StopStatus, WatermarkStatus};
use super::{BlueGreenState, Color, TransitionMode, WireTime};
use crate::flink_deployment::{Extra, JobStatus};
use crate::lenient::{lenient, lenient_list};

/// What was recorded last: upstream's fields and Sluice's own. Read with [`Self::read`], which never fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkBlueGreenDeploymentStatus {
    /// The resource's own job status: RECONCILING, RUNNING, SUSPENDED or FAILING.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub job_status: Option<JobStatus>,
    /// Upstream's name of the state.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub blue_green_state: Option<BlueGreenState>,
    /// The specification that the active child was made from, as JSON `{"spec": ...}`.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_reconciled_spec: Option<String>,
    /// When the record last changed.
    #[serde(default, deserialize_with = "lenient")]
    pub last_reconciled_timestamp: WireTime,
    /// When the transition under way aborts.
    #[serde(default, deserialize_with = "lenient")]
    pub abort_timestamp: WireTime,
    /// When the incoming child was seen ready.
    #[serde(default, deserialize_with = "lenient")]
    pub deployment_ready_timestamp: WireTime,
    /// The trigger id of the savepoint under way.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub savepoint_trigger_id: Option<String>,
    /// The last error, for people.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub error: Option<String>,

    /// The colour that serves, or is to serve again; absent until a deployment has been ready.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub active: Option<Color>,
    /// The generation that this status describes.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub observed_generation: Option<i64>,
    /// `Available`, `Progressing`, `Degraded`, `SpecValid`, `HandoverReady`.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The largest transition number given out so far.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub transition_number: Option<u64>,
    /// The transition under way.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub transition: Option<TransitionStatus>,
    /// The specification that an abort has set aside; it is not tried again until it changes or is retried.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub failed: Option<FailedStatus>,
    /// The deployment that an abort left behind.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub kept: Option<KeptStatus>,
    /// The savepoints that Sluice took for this resource and that still exist, oldest first.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub savepoints: Vec<SavepointStatus>,
    /// The sink epoch of the active job: the number of the transition in which its sinks began with fresh state; 0 for those that never
    /// did.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "is_zero")]
    pub sink_epoch: u64,
    /// The last values of the promote, abort and retry annotations that were acted on.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub acknowledged: Option<AcknowledgedStatus>,
    /// The other operator that writes this status; while it stands here, Sluice does nothing with the resource.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub rival: Option<RivalStatus>,
    /// The last ten transitions, newest first.
    #[serde(
        default,
        deserialize_with = "lenient_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<HistoryEntry>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

impl FlinkBlueGreenDeploymentStatus {
    /// Reads any JSON as a status: each field that is not of its type counts as absent.
    pub fn read(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }
}

/// The transition under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransitionStatus {
    /// Its number; it grows, and stands on the child that the transition creates.
    pub number: u64,
    /// The outgoing side; absent in a first deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Color>,
    /// The incoming side.
    pub to: Color,
    /// Why it began.
    pub cause: TransitionCause,
    /// How the active side changes.
    pub mode: TransitionMode,
    /// When it began.
    pub started_at: Timestamp,
    /// The specification that it brings, as JSON `{"spec": ...}`.
    pub spec: String,
    /// The step that it is at.
    pub step: StepStatus,
    /// The savepoint that was taken for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<String>,
    /// What the incoming job starts from; absent: from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
    /// Whether the incoming cluster is brought up first, and its job waits for the savepoint that the outgoing one is stopped
    /// with (ADVANCED, strategy SAVEPOINT, with the agent).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm: bool,
    /// When the outgoing job was seen stopped (ADVANCED, strategy SAVEPOINT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_stopped_at: Option<Timestamp>,
    /// When the incoming child was seen created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_created_at: Option<Timestamp>,
    /// Reports why the stated guarantee was lowered on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<String>,
    /// The sink epoch of the incoming job: the number of the transition in which its sinks began with fresh state; 0 for those that
    /// never did.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sink_epoch: u64,
    /// What is remembered of a handover at a cut in event time; absent in any other transition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<WatermarkStatus>,
}

/// For serde.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it skips by reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a transition began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TransitionCause {
    /// The resource has never had a child.
    FirstDeployment,
    /// The specification changed.
    SpecChanged,
    /// `savepointRedeployNonce` changed.
    SavepointRedeploy,
    /// The active child was gone.
    ActiveChildGone,
    /// `job.state` went to suspended; in place.
    Suspend,
    /// `job.state` went to running; in place.
    Resume,
    /// Only fields that are applied in place changed.
    PatchChild,
    /// Another operator had begun it.
    TakenOver,
}

/// The step that a transition is at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all_fields = "camelCase")]
pub enum StepStatus {
    /// A savepoint of the outgoing job is being taken; the job goes on running.
    Savepointing {
        /// 1 for the first try.
        attempt: u32,
        /// Chosen by Sluice, so that a repeated request is the same savepoint.
        trigger_id: String,
        /// The target directory of this attempt alone.
        directory: String,
        /// When this attempt began.
        since: Timestamp,
        /// When the transition aborts.
        deadline: Timestamp,
    },
    /// The savepoint is there; the incoming child comes next.
    Savepointed {
        /// When it was seen complete.
        since: Timestamp,
    },
    /// The outgoing job is being stopped with a savepoint (ADVANCED, strategy SAVEPOINT).
    Stopping {
        /// When it was asked for.
        since: Timestamp,
        /// When the transition aborts.
        deadline: Timestamp,
    },
    /// A leftover of the incoming colour is being removed, then the incoming child created.
    Creating {
        /// Since when.
        since: Timestamp,
        /// When the transition aborts.
        deadline: Timestamp,
    },
    /// The incoming cluster comes up and waits for the savepoint of the outgoing job, which runs on (ADVANCED, strategy
    /// SAVEPOINT, with the agent).
    Warming {
        /// When the child was created.
        since: Timestamp,
        /// When the transition aborts.
        deadline: Timestamp,
    },
    /// The incoming child is awaited.
    Deploying {
        /// When it was created, or its specification last changed.
        since: Timestamp,
        /// When the transition aborts.
        deadline: Timestamp,
    },
    /// Both jobs run, and the incoming one comes to take over at a cut in event time; until the cut is committed the handover can be
    /// given up (ADVANCED, strategy WATERMARK).
    HandingOver {
        /// Since when.
        since: Timestamp,
    },
    /// The point of no return is passed: the outgoing job writes what is below the cut, and is stopped (ADVANCED, strategy WATERMARK).
    Sealing {
        /// When the cut was seen committed.
        since: Timestamp,
        /// The cut, in milliseconds since 1970: records below it are the outgoing job's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cut: Option<i64>,
        /// The stop of the outgoing job, once it has passed the cut.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<StopStatus>,
    },
    /// The incoming child is ready and a person has to promote it.
    AwaitingPromotion {
        /// When it was seen ready.
        since: Timestamp,
    },
    /// The point of no return is passed: the Ingress, then the deletion delay, then the outgoing child goes.
    Switching {
        /// When the incoming child was seen ready.
        ready_at: Timestamp,
        /// When the point of no return was recorded.
        since: Timestamp,
        /// Before this moment the outgoing child stays.
        delete_after: Timestamp,
    },
    /// The active child is changed in place.
    InPlace {
        /// When its specification was changed.
        since: Timestamp,
        /// When it counts as failed.
        deadline: Timestamp,
    },
    /// The incoming child is being stopped and the outgoing version brought back (ADVANCED, strategy SAVEPOINT).
    Returning {
        /// Since when.
        since: Timestamp,
        /// When the return counts as failed.
        deadline: Timestamp,
        /// Why the transition was aborted.
        reason: AbortReason,
        /// The same in a sentence.
        message: String,
    },
}

/// Why a transition was aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AbortReason {
    /// The savepoint was not finished in time, or failed too often.
    SavepointFailed,
    /// The outgoing job could not be stopped with a savepoint in time.
    StopFailed,
    /// The incoming child could not be created in time.
    NotCreated,
    /// The incoming child was not ready in time.
    NotReady,
    /// A person asked for it.
    Requested,
    /// The specification went back to what the active child runs.
    Reverted,
    /// The specification changed while the incoming job was coming up (ADVANCED: it may have written already, so it is
    /// not replaced in place).
    Superseded,
    /// The handover at a cut in event time was given up before the cut was committed (ADVANCED, strategy WATERMARK).
    HandoverGivenUp,
}

/// The specification that an abort has set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedStatus {
    /// Names the specification.
    pub spec_hash: String,
    /// The transition that was aborted.
    pub transition: u64,
    /// Why.
    pub reason: AbortReason,
    /// The same in a sentence, with the child's own error.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// The deployment that an abort left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptStatus {
    /// Its colour.
    pub color: Color,
    /// The transition that made it.
    pub transition: u64,
    /// What happens to it.
    pub policy: FailedDeploymentPolicy,
    /// When it was left behind.
    pub since: Timestamp,
    /// When it is deleted; absent: with the next transition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_at: Option<Timestamp>,
}

/// What becomes of a deployment that an abort left behind (`abort.failed-deployment`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FailedDeploymentPolicy {
    /// Left running as it is, for debugging.
    #[default]
    Keep,
    /// Suspended (what upstream's code does).
    Suspend,
    /// Deleted.
    Delete,
}

/// A savepoint that Sluice took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavepointStatus {
    /// Where it is.
    pub path: String,
    /// The transition that it was taken for.
    pub transition: u64,
    /// When it was seen complete.
    pub at: Timestamp,
}

/// The last values of the command annotations that were acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgedStatus {
    /// Of [`crate::metadata::ANNOTATION_PROMOTE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<String>,
    /// Of [`crate::metadata::ANNOTATION_ABORT`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<String>,
    /// Of [`crate::metadata::ANNOTATION_RETRY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<String>,
}

/// Another operator that writes the status of the same resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RivalStatus {
    /// Its name in `metadata.managedFields`.
    pub manager: String,
    /// When it was first seen to write after Sluice had.
    pub since: Timestamp,
}

/// A transition that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The transition's number.
    pub transition: u64,
    /// The outgoing side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Color>,
    /// The incoming side.
    pub to: Color,
    /// Why it began.
    pub cause: TransitionCause,
    /// How the active side changed.
    pub mode: TransitionMode,
    /// When it began.
    pub started_at: Timestamp,
    /// When its child was created; absent: it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_created_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, if it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The savepoint that was taken for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub savepoint: Option<String>,
    /// What the incoming job started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_from: Option<String>,
    /// What the records written by both jobs together add up to.
    pub guarantee: Guarantee,
    /// From the incoming child's creation until it was ready, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_milliseconds: Option<i64>,
    /// For how long no job ran, milliseconds (ADVANCED, strategy SAVEPOINT).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_milliseconds: Option<i64>,
    /// What the gates of both jobs counted (ADVANCED, strategy WATERMARK).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerStatus>,
}

/// How a transition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// The incoming child is active.
    Completed,
    /// The outgoing child is active as before.
    Aborted,
    /// The specification went back, so nothing was to be done any more.
    Reverted,
}

/// What the records written by both jobs together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Guarantee {
    /// Each record once.
    ExactlyOnce,
    /// Each record once, but for those that come behind the watermark.
    ExactlyOnceExceptLate,
    /// Each record at least once: the two jobs overlapped, or it could not be learnt how far one of them was.
    AtLeastOnce,
    /// Records may be missing: a person has ended a handover by force, or a sink has lost what it had to commit.
    None,
    /// The incoming job started from nothing (`upgradeMode: stateless`).
    Stateless,
}
