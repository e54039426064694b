//! What an edit asks for: the deployed specification against the wanted one (upstream's table, without its scale column:
//! a changed parallelism is an upgrade in native and in standalone mode).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_api::configuration;
use sluice_api::{FlinkDeploymentSpec, JobState, UpgradeMode};

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

/// The fields of the job that are noted in place.
const IN_PLACE_FIELDS: [&str; 6] = [
    "job.savepointTriggerNonce",
    "job.checkpointTriggerNonce",
    "job.initialSavepointPath",
    "job.upgradeMode",
    "job.allowNonRestoredState",
    "job.autoscalerResetNonce",
];

/// The beginnings of the keys of `flinkConfiguration` that are noted in place.
const IN_PLACE_KEYS: [&str; 3] = ["job.autoscaler", "parallelism.default", "kubernetes.operator"];

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
    let mut paths = BTreeSet::new();
    differing("", &normalized(deployed), &normalized(wanted), &mut paths);
    if paths.is_empty() {
        Change::None
    } else if paths.iter().all(|path| is_in_place(path, wanted)) {
        Change::InPlace
    } else {
        Change::Upgrade
    }
}

/// Whether `savepointRedeployNonce` was set to another value.
pub(super) fn asks_for_redeploy(deployed: &FlinkDeploymentSpec, wanted: &FlinkDeploymentSpec) -> bool {
    let nonce = |spec: &FlinkDeploymentSpec| spec.job.as_ref().and_then(|job| job.savepoint_redeploy_nonce);
    nonce(wanted).is_some() && nonce(wanted) != nonce(deployed)
}

/// Whether the job should run; absent means running.
pub(super) fn job_state(spec: &FlinkDeploymentSpec) -> JobState {
    spec.job.as_ref().and_then(|job| job.state).unwrap_or_default()
}

/// How the job's state is carried over; absent means stateless.
pub(super) fn upgrade_mode(spec: &FlinkDeploymentSpec) -> UpgradeMode {
    spec.job
        .as_ref()
        .and_then(|job| job.upgrade_mode)
        .unwrap_or_default()
}

fn is_in_place(path: &str, wanted: &FlinkDeploymentSpec) -> bool {
    IN_PLACE_FIELDS.contains(&path)
        // Only a new value of these two asks for something.
        || path == "job.savepointRedeployNonce"
        || (path == "restartNonce" && wanted.restart_nonce.is_none())
        || path
            .strip_prefix("flinkConfiguration.")
            .is_some_and(|key| IN_PLACE_KEYS.iter().any(|prefix| key.starts_with(prefix)))
}

/// The specification as JSON in which equal meaning is equal text.
fn normalized(spec: &FlinkDeploymentSpec) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        if let Some(written) = &spec.flink_configuration {
            let flat: Map<String, Value> = configuration::flatten(written)
                .into_iter()
                .map(|(key, text)| (key, text.into()))
                .collect();
            fields.insert("flinkConfiguration".to_owned(), Value::Object(flat));
        }
        if let Some(Value::Object(job)) = fields.get_mut("job") {
            job.remove("state");
        }
    }
    value
}

/// Collects the paths of the values that differ; an object that is not there is an empty one.
fn differing(path: &str, old: &Value, new: &Value, paths: &mut BTreeSet<String>) {
    let empty = Map::new();
    let (old_fields, new_fields) = match (old, new) {
        (Value::Object(old), Value::Object(new)) => (old, new),
        (Value::Object(old), Value::Null) => (old, &empty),
        (Value::Null, Value::Object(new)) => (&empty, new),
        (old, new) => {
            if old != new {
                paths.insert(path.to_owned());
            }
            return;
        }
    };
    let keys: BTreeSet<&String> = old_fields.keys().chain(new_fields.keys()).collect();
    for key in keys {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let value = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
        differing(&path, &value(old_fields), &value(new_fields), paths);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
