//! The wire form of the record: the data of a ConfigMap, a map of strings.
//!
//! Keys that are not ours are left alone. FLIP-504's keys are written for people who watch them, and never read, but for the
//! two that the record holds.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice_api::blue_green::Color;
use thiserror::Error;

use super::fork::Fork;
use super::numbers::{Attempt, CheckpointId, Cut, Epoch, EventTime};
use super::phase::Phase;
use super::record::{HandoverRecord, Job};

/// Every key that Sluice writes, in alphabetical order. One that has no value in a record is removed.
pub const KEYS: &[&str] = &[
    ACTIVE,
    ACTIVE_CREATED_FOR,
    ACTIVE_DEPLOYMENT_TYPE,
    CUT,
    DEADLINE,
    DELETION_DELAY,
    EPOCH,
    FORK_ATTEMPT,
    FORK_CHECKPOINT,
    HIGHEST,
    INCOMING_CREATED_FOR,
    IS_FIRST,
    PHASE,
    REASON,
    REPORT_BLUE,
    REPORT_GREEN,
    SAVEPOINT,
    STAGE,
];

const ACTIVE: &str = "active";
const ACTIVE_CREATED_FOR: &str = "active-created-for";
const ACTIVE_DEPLOYMENT_TYPE: &str = "active-deployment-type";
const CUT: &str = "cut";
const DEADLINE: &str = "deadline";
const DELETION_DELAY: &str = "deployment-deletion-delay-ms";
const EPOCH: &str = "epoch";
const FORK_ATTEMPT: &str = "fork-attempt";
const FORK_CHECKPOINT: &str = "fork-checkpoint";
const HIGHEST: &str = "highest";
const INCOMING_CREATED_FOR: &str = "incoming-created-for";
const IS_FIRST: &str = "is-first-deployment";
const PHASE: &str = "phase";
const REASON: &str = "reason";
const REPORT_BLUE: &str = "report.blue";
const REPORT_GREEN: &str = "report.green";
const SAVEPOINT: &str = "savepoint";
const STAGE: &str = "stage";

/// The names of the phases, in their order.
pub const PHASES: &[&str] = &["STABLE", "STANDBY", "PREPARE", "COMMIT", "SEALED", "ABORT"];

/// FLIP-504's names of the stages.
pub const STAGES: &[&str] = &[
    "INITIALIZING",
    "TRANSITIONING",
    "RUNNING",
    "FAILING",
    "CLEAR_TO_TEARDOWN",
];

/// What is wrong with the data of a handover record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// A key is missing.
    #[error("the handover record lacks the key \"{key}\", which has to hold {expected}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What it holds.
        expected: &'static str,
    },
    /// A value cannot be read.
    #[error("the handover record has \"{key}\": \"{found}\", which is not {expected}")]
    Unreadable {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it has to hold.
        expected: &'static str,
    },
}

const NUMBER: &str = "a whole number from 0 on";
const MILLISECONDS: &str = "milliseconds since 1970";

/// The data that a record is written as.
pub fn encode(record: &HandoverRecord) -> BTreeMap<String, String> {
    let mut data = BTreeMap::new();
    let mut put = |key: &str, value: String| {
        data.insert(key.to_owned(), value);
    };
    put(EPOCH, record.epoch.to_string());
    put(PHASE, record.phase.name().to_owned());
    if let Some(cut) = record.phase.cut() {
        put(CUT, cut.to_string());
    }
    if let Some(highest) = record.phase.highest().milliseconds() {
        put(HIGHEST, highest.to_string());
    }
    put(ACTIVE, record.active.color.label().to_owned());
    put(ACTIVE_CREATED_FOR, record.active.created_for.to_string());
    if let Some(incoming) = record.incoming {
        put(INCOMING_CREATED_FOR, incoming.to_string());
    }
    if let Some(fork) = record.fork {
        put(FORK_CHECKPOINT, fork.checkpoint.to_string());
        put(FORK_ATTEMPT, fork.attempt.to_string());
    }
    if let Some(savepoint) = &record.savepoint {
        put(SAVEPOINT, savepoint.clone());
    }
    if let Some(deadline) = record.deadline {
        put(DEADLINE, deadline.to_string());
    }
    for (key, json) in [
        (REASON, record.reason.as_ref().map(json)),
        (REPORT_BLUE, record.blue.as_ref().map(json)),
        (REPORT_GREEN, record.green.as_ref().map(json)),
    ] {
        if let Some(json) = json {
            put(key, json);
        }
    }
    put(ACTIVE_DEPLOYMENT_TYPE, record.active.color.label().to_owned());
    put(IS_FIRST, record.is_first_deployment.to_string());
    put(DELETION_DELAY, record.deletion_delay_ms.to_string());
    put(STAGE, stage(record.phase).to_owned());
    data
}

/// FLIP-504's name for where the handover stands.
const fn stage(phase: Phase) -> &'static str {
    match phase {
        Phase::Stable => "RUNNING",
        Phase::Standby { .. } => "INITIALIZING",
        Phase::Prepare { .. } | Phase::Commit { .. } => "TRANSITIONING",
        Phase::Sealed { .. } => "CLEAR_TO_TEARDOWN",
        Phase::Abort => "FAILING",
    }
}

/// JSON of a type whose serialisation cannot fail: no maps with keys that are not strings, no foreign implementation.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The record that the data of a ConfigMap holds.
pub fn decode(data: &BTreeMap<String, String>) -> Result<HandoverRecord, CodecError> {
    let highest = optional(data, HIGHEST, MILLISECONDS)?.map_or(EventTime::NONE, EventTime::of);
    let cut = optional(data, CUT, MILLISECONDS)?.map(Cut);
    let cut_is_there = || {
        cut.ok_or(CodecError::Missing {
            key: CUT,
            expected: MILLISECONDS,
        })
    };
    let phase = match required_text(data, PHASE, "the name of a phase")? {
        "STABLE" => Phase::Stable,
        "STANDBY" => Phase::Standby { highest },
        "PREPARE" => Phase::Prepare { highest, cut },
        "COMMIT" => Phase::Commit { cut: cut_is_there()? },
        "SEALED" => Phase::Sealed { cut: cut_is_there()? },
        "ABORT" => Phase::Abort,
        other => {
            return Err(CodecError::Unreadable {
                key: PHASE,
                found: other.to_owned(),
                expected: "STABLE, STANDBY, PREPARE, COMMIT, SEALED or ABORT",
            });
        }
    };
    let color = match required_text(data, ACTIVE, "BLUE or GREEN")? {
        "BLUE" => Color::Blue,
        "GREEN" => Color::Green,
        other => {
            return Err(CodecError::Unreadable {
                key: ACTIVE,
                found: other.to_owned(),
                expected: "BLUE or GREEN",
            });
        }
    };
    Ok(HandoverRecord {
        epoch: Epoch(required(data, EPOCH, NUMBER)?),
        phase,
        active: Job {
            color,
            created_for: Epoch(required(data, ACTIVE_CREATED_FOR, NUMBER)?),
        },
        incoming: optional(data, INCOMING_CREATED_FOR, NUMBER)?.map(Epoch),
        fork: fork(data)?,
        savepoint: data.get(SAVEPOINT).cloned(),
        deadline: optional::<Timestamp>(data, DEADLINE, "a time such as 2026-01-31T12:00:00Z")?,
        reason: optional_json(data, REASON, "the JSON of a reason")?,
        blue: optional_json(data, REPORT_BLUE, "the JSON of a coordinator's report")?,
        green: optional_json(data, REPORT_GREEN, "the JSON of a coordinator's report")?,
        is_first_deployment: optional(data, IS_FIRST, "true or false")?.unwrap_or_default(),
        deletion_delay_ms: optional(data, DELETION_DELAY, "milliseconds, from 0 on")?.unwrap_or_default(),
    })
}

/// A fork without the attempt would be believed too much.
fn fork(data: &BTreeMap<String, String>) -> Result<Option<Fork>, CodecError> {
    let Some(checkpoint) = optional(data, FORK_CHECKPOINT, NUMBER)? else {
        return Ok(None);
    };
    Ok(Some(Fork {
        checkpoint: CheckpointId(checkpoint),
        attempt: Attempt(required(data, FORK_ATTEMPT, NUMBER)?),
    }))
}

fn required_text<'a>(
    data: &'a BTreeMap<String, String>,
    key: &'static str,
    expected: &'static str,
) -> Result<&'a str, CodecError> {
    data.get(key)
        .map(String::as_str)
        .ok_or(CodecError::Missing { key, expected })
}

fn required<T: FromStr>(
    data: &BTreeMap<String, String>,
    key: &'static str,
    expected: &'static str,
) -> Result<T, CodecError> {
    optional(data, key, expected)?.ok_or(CodecError::Missing { key, expected })
}

fn optional<T: FromStr>(
    data: &BTreeMap<String, String>,
    key: &'static str,
    expected: &'static str,
) -> Result<Option<T>, CodecError> {
    let Some(found) = data.get(key) else {
        return Ok(None);
    };
    let unreadable = |_| CodecError::Unreadable {
        key,
        found: found.clone(),
        expected,
    };
    found.parse().map(Some).map_err(unreadable)
}

fn optional_json<T: DeserializeOwned>(
    data: &BTreeMap<String, String>,
    key: &'static str,
    expected: &'static str,
) -> Result<Option<T>, CodecError> {
    let Some(found) = data.get(key) else {
        return Ok(None);
    };
    let unreadable = |_| CodecError::Unreadable {
        key,
        found: found.clone(),
        expected,
    };
    serde_json::from_str(found).map(Some).map_err(unreadable)
}
