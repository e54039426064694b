//! What the status says of a handover at a cut in event time (ADVANCED, strategy WATERMARK).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{AbortReason, Guarantee};

/// What is remembered of a handover at a cut in event time (ADVANCED, strategy WATERMARK); all else stands in its handover record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkStatus {
    /// How often the outgoing job had started, by the handover record, before the savepoint of the fork was asked for.
    pub attempt: u64,
    /// The checkpoint id of that savepoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// A person has promoted the switch.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub promoted: bool,
    /// Why the handover is to be given up, if it still can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give_up: Option<GiveUpStatus>,
    /// Each condition that is missing for EXACTLY_ONCE, in the order in which it was seen to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingStatus>,
    /// What the gates of both jobs had counted when the handover was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerStatus>,
}

/// Why a handover is to be given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GiveUpStatus {
    /// Why.
    pub reason: AbortReason,
    /// The same in a sentence.
    pub message: String,
}

/// A condition of a guarantee that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingStatus {
    /// What is left of the guarantee without it.
    pub guarantee: Guarantee,
    /// The condition, and what can be done, in a sentence.
    pub why: String,
}

/// The stop of a job for good: with a savepoint that nobody starts from, and drained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopStatus {
    /// 1 for the first try.
    pub attempt: u32,
    /// Chosen by Sluice, so that a repeated request is the same stop.
    pub trigger_id: String,
    /// The target directory of this attempt alone.
    pub directory: String,
    /// When this attempt began.
    pub since: Timestamp,
}

/// What the gates of both jobs counted until a handover at a cut in event time was over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerStatus {
    /// The cut, in milliseconds since 1970: records below it are the outgoing job's.
    pub cut: i64,
    /// From the committed cut until the outgoing job had written and committed everything below it and the incoming one had passed it,
    /// milliseconds.
    pub drain_milliseconds: i64,
    /// The outgoing job's.
    pub outgoing: GateFiguresStatus,
    /// The incoming job's.
    pub incoming: GateFiguresStatus,
    /// Each condition that was missing for EXACTLY_ONCE.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What the gates of a job counted, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateFiguresStatus {
    /// Handed on to the sinks.
    pub emitted: u64,
    /// Left to the other job.
    pub dropped: u64,
    /// Below the cut and behind the watermark.
    pub late: u64,
}
