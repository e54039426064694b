//! What an edit asks for: the deployed specification against the wanted one.

use sluice_api::{FlinkDeploymentSpec, JobState, UpgradeMode};

use crate::fields::{self, FieldRule, job_state};

/// What an edit asks for; the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// To note the new values; nothing is restarted.
    InPlace,
    /// To stop the job and keep its state.
    Suspend,
    /// To start the job again.
    Resume,
    /// To start again from `initialSavepointPath`, whatever the job's own state is.
    Redeploy,
    /// To stop the job and start it with the new specification.
    Upgrade,
}

/// What the step from the deployed to the wanted specification asks for.
pub(super) fn compare(deployed: &FlinkDeploymentSpec, wanted: &FlinkDeploymentSpec) -> Change {
    match (job_state(deployed), job_state(wanted)) {
        (JobState::Running, JobState::Suspended) => return Change::Suspend,
        (JobState::Suspended, JobState::Running) => return Change::Resume,
        (JobState::Running, JobState::Running) | (JobState::Suspended, JobState::Suspended) => {}
    }
    if asks_for_redeploy(deployed, wanted) {
        return Change::Redeploy;
    }
    let changes = fields::differences(deployed, wanted);
    if changes.is_empty() {
        Change::None
    } else if changes
        .iter()
        .any(|change| change.rule == FieldRule::NewDeployment)
    {
        Change::Upgrade
    } else {
        Change::InPlace
    }
}

/// Whether `savepointRedeployNonce` was set to another value.
pub(super) fn asks_for_redeploy(deployed: &FlinkDeploymentSpec, wanted: &FlinkDeploymentSpec) -> bool {
    let nonce = |spec: &FlinkDeploymentSpec| spec.job.as_ref().and_then(|job| job.savepoint_redeploy_nonce);
    nonce(wanted).is_some() && nonce(wanted) != nonce(deployed)
}

/// How the job's state is carried over; absent means stateless.
pub(super) fn upgrade_mode(spec: &FlinkDeploymentSpec) -> UpgradeMode {
    spec.job
        .as_ref()
        .and_then(|job| job.upgrade_mode)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(value: Value) -> FlinkDeploymentSpec {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_field_asks_for_what_the_table_of_upstream_says() {
        let base = json!({"restartNonce": 1, "image": "a", "flinkConfiguration": {"a.b": "1", "kubernetes.operator.x": "1"},
            "job": {"parallelism": 1, "savepointRedeployNonce": 1, "jarURI": "j"}});
        let edit = |pointer: &str, value: Value| {
            let mut edited = base.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            edited
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .insert(key.to_owned(), value);
            compare(&spec(base.clone()), &spec(edited))
        };
        for (pointer, value, change) in [
            ("/image", json!("a"), Change::None),
            ("/image", json!("b"), Change::Upgrade),
            ("/job/state", json!("running"), Change::None),
            ("/job/state", json!("suspended"), Change::Suspend),
            ("/job/parallelism", json!(2), Change::Upgrade),
            ("/job/args", json!(["x"]), Change::Upgrade),
            ("/job/upgradeMode", json!("savepoint"), Change::InPlace),
            ("/job/initialSavepointPath", json!("s"), Change::InPlace),
            ("/job/allowNonRestoredState", json!(true), Change::InPlace),
            ("/job/savepointTriggerNonce", json!(2), Change::InPlace),
            ("/job/checkpointTriggerNonce", json!(2), Change::InPlace),
            ("/job/savepointRedeployNonce", json!(2), Change::Redeploy),
            ("/job/savepointRedeployNonce", json!(null), Change::InPlace),
            ("/restartNonce", json!(2), Change::Upgrade),
            ("/restartNonce", json!(null), Change::InPlace),
            ("/taskManager", json!({"replicas": 2}), Change::Upgrade),
            ("/taskManager", json!({}), Change::None),
            ("/unknown", json!(1), Change::Upgrade),
            (
                "/flinkConfiguration",
                json!({"a": {"b": 1}, "kubernetes.operator.x": "1"}),
                Change::None,
            ),
            (
                "/flinkConfiguration",
                json!({"a.b": "1", "kubernetes.operator.x": "2"}),
                Change::InPlace,
            ),
            (
                "/flinkConfiguration",
                json!({"a.b": "2", "kubernetes.operator.x": "1"}),
                Change::Upgrade,
            ),
        ] {
            assert_eq!(edit(pointer, value.clone()), change, "{pointer} = {value}");
        }
    }
}
