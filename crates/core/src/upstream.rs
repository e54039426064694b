//! What upstream's operator tells in the status of a FlinkDeployment, whichever of its versions wrote it.

use serde_json::Value;
use sluice_api::flink_deployment::FlinkDeploymentStatus;

/// What the operator deployed last, or is deploying, in its own words: `{"spec": ..., "resource_metadata": ...}`.
pub(crate) fn reconciled(status: &FlinkDeploymentStatus) -> Option<Value> {
    let status = status.reconciliation_status.as_ref()?;
    serde_json::from_str(status.last_reconciled_spec.as_deref()?).ok()
}

/// The savepoint or checkpoint that a suspended deployment would resume from, as far as the status tells.
pub(crate) fn upgrade_savepoint(status: &FlinkDeploymentStatus) -> Option<&str> {
    let job = status.job_status.as_ref()?;
    let path = match job.upgrade_savepoint_path.as_deref() {
        Some(path) => Some(path),
        None => savepoint_of_stop(status),
    };
    path.filter(|path| !path.is_empty())
}

/// Upstream before 1.8 has no field of its own for it: it resumes from the last savepoint that it knows of. After a stop
/// without one that is an older one, and not where the job was stopped.
fn savepoint_of_stop(status: &FlinkDeploymentStatus) -> Option<&str> {
    let reconciled = reconciled(status)?;
    let says = |field: &str, word: &str| {
        let found = reconciled.pointer(&format!("/spec/job/{field}"));
        found
            .and_then(Value::as_str)
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    if !says("state", "suspended") || !says("upgradeMode", "savepoint") {
        return None;
    }
    let savepoints = status.job_status.as_ref()?.savepoint_info.as_ref()?;
    savepoints.last_savepoint.as_ref()?.location.as_deref()
}
