//! The record of a decision: its status with its events, written before any of its effects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use sluice_core::Event;

use super::context::Context;
use super::crash;
use crate::store::ObjectKey;

/// Whose record it is.
pub(super) struct Recorder {
    /// Its name at the boundaries where tests kill the runner.
    pub(super) decider: &'static str,
    /// What counts its writes.
    pub(super) counter: &'static str,
}

/// Writes the status with its events, under the version that was observed; `false`: someone was faster, and there is to be
/// looked again.
pub(super) fn write<S: Serialize>(
    context: &Context,
    key: &ObjectKey,
    recorder: &Recorder,
    observed: &ObjectMeta,
    status: Option<&S>,
    events: &[Event],
) -> Result<bool, String> {
    let Some(status) = status else {
        return Ok(true);
    };
    let status =
        serde_json::to_value(status).map_err(|error| format!("the status cannot be written: {error}"))?;
    crash::point(recorder.decider, "status", "before");
    let written = context.store.record(
        key,
        observed.uid.as_deref().unwrap_or_default(),
        observed.resource_version.as_deref().unwrap_or_default(),
        Some(status),
        events,
    );
    crash::point(recorder.decider, "status", "after");
    match written {
        Ok(_) => {
            context.memory.count(recorder.counter);
            for event in events {
                tracing::info!(object = %key, reason = event.reason, "{}", event.message);
            }
            Ok(true)
        }
        Err(error) if error.is_stale() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}
