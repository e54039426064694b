//! The fields of a FlinkDeployment's specification: which differ, and what each change asks for.
//!
//! What is noted in place are the fields that upstream's `@SpecDiff` annotations ignore, but for its scale column: a changed
//! parallelism starts the job anew in native and in standalone mode. Any other field, also one that is not known here, does
//! so, too.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_api::configuration;
use sluice_api::{FlinkDeploymentSpec, JobState};

/// What one changed field asks for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldRule {
    /// The job is to run, or is to be suspended.
    State,
    /// The job is to start again from `initialSavepointPath`.
    Redeploy,
    /// Nothing: a nonce was taken away.
    NoChange,
    /// To be noted in place.
    InPlace,
    /// The job has to be started anew.
    NewDeployment,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its path under `spec.template.spec`, the keys of `flinkConfiguration` flattened.
    pub path: String,
    /// What stood there; null: nothing.
    pub from: Value,
    /// What stands there; null: nothing.
    pub to: Value,
    /// What it asks for.
    pub rule: FieldRule,
}

/// The fields of the job that are applied in place.
const IN_PLACE_FIELDS: [&str; 6] = [
    "job.savepointTriggerNonce",
    "job.checkpointTriggerNonce",
    "job.initialSavepointPath",
    "job.upgradeMode",
    "job.allowNonRestoredState",
    "job.autoscalerResetNonce",
];

/// The beginnings of the keys of `flinkConfiguration` that are applied in place.
const IN_PLACE_KEYS: [&str; 3] = ["job.autoscaler", "parallelism.default", "kubernetes.operator"];

/// Whether the job of a child specification should run; absent means running.
pub fn job_state(spec: &FlinkDeploymentSpec) -> JobState {
    spec.job.as_ref().and_then(|job| job.state).unwrap_or_default()
}

/// The fields that differ, by path.
pub fn differences(old: &FlinkDeploymentSpec, new: &FlinkDeploymentSpec) -> Vec<Change> {
    let (of_old, of_new) = (where_different(old, new), where_different(new, old));
    let mut changes = Vec::new();
    walk("", &normalized(&of_old), &normalized(&of_new), &mut changes);
    changes
}

/// The fields that the other one has differently: only these have to be looked into.
fn where_different(spec: &FlinkDeploymentSpec, other: &FlinkDeploymentSpec) -> FlinkDeploymentSpec {
    fn field<T: Clone + PartialEq>(value: Option<&T>, other: Option<&T>) -> Option<T> {
        value.filter(|_| value != other).cloned()
    }
    FlinkDeploymentSpec {
        job: field(spec.job.as_ref(), other.job.as_ref()),
        restart_nonce: field(spec.restart_nonce.as_ref(), other.restart_nonce.as_ref()),
        flink_configuration: field(
            spec.flink_configuration.as_ref(),
            other.flink_configuration.as_ref(),
        ),
        image: field(spec.image.as_ref(), other.image.as_ref()),
        image_pull_policy: field(spec.image_pull_policy.as_ref(), other.image_pull_policy.as_ref()),
        service_account: field(spec.service_account.as_ref(), other.service_account.as_ref()),
        flink_version: field(spec.flink_version.as_ref(), other.flink_version.as_ref()),
        ingress: field(spec.ingress.as_ref(), other.ingress.as_ref()),
        pod_template: field(spec.pod_template.as_ref(), other.pod_template.as_ref()),
        job_manager: field(spec.job_manager.as_ref(), other.job_manager.as_ref()),
        task_manager: field(spec.task_manager.as_ref(), other.task_manager.as_ref()),
        log_configuration: field(spec.log_configuration.as_ref(), other.log_configuration.as_ref()),
        mode: field(spec.mode.as_ref(), other.mode.as_ref()),
        extra: spec.extra.clone(),
    }
}

/// The specification as JSON in which equal meaning is equal text: configuration flattened, defaults left out that
/// upstream's client writes into a child when it adds its finalizer.
pub fn normalized(spec: &FlinkDeploymentSpec) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        if let Some(flink_configuration) = &spec.flink_configuration {
            let flat = configuration::flatten(flink_configuration);
            let flat: Map<String, Value> = flat.into_iter().map(|(key, text)| (key, text.into())).collect();
            fields.insert("flinkConfiguration".to_owned(), Value::Object(flat));
        }
        if let Some(Value::Object(job)) = fields.get_mut("job") {
            if job_state(spec) == JobState::Running {
                job.remove("state");
            }
            drop_default(job, "args", &Value::Array(Vec::new()));
            drop_default(job, "upgradeMode", &Value::from("stateless"));
        }
        drop_type(fields);
        for name in ["jobManager", "taskManager"] {
            if let Some(Value::Object(part)) = fields.get_mut(name) {
                drop_type(part);
            }
        }
        if let Some(Value::Object(job_manager)) = fields.get_mut("jobManager") {
            drop_default(job_manager, "replicas", &Value::from(1));
        }
    }
    value
}

fn drop_default(fields: &mut Map<String, Value>, name: &str, default: &Value) {
    if fields.get(name) == Some(default) {
        fields.remove(name);
    }
}

/// A pod template's `apiVersion` and `kind`: there is only one that they can be.
fn drop_type(owner: &mut Map<String, Value>) {
    if let Some(Value::Object(template)) = owner.get_mut("podTemplate") {
        drop_default(template, "apiVersion", &Value::from("v1"));
        drop_default(template, "kind", &Value::from("Pod"));
    }
}

fn walk(path: &str, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let (old, new) = (old.get(key), new.get(key));
                if old == new {
                    continue;
                }
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(
                    &path,
                    old.unwrap_or(&Value::Null),
                    new.unwrap_or(&Value::Null),
                    changes,
                );
            }
        }
        // An object that comes or goes is told field by field, so that each field's own rule applies; an empty one is none.
        (Value::Object(_), Value::Null) => walk(path, old, &Value::Object(Map::new()), changes),
        (Value::Null, Value::Object(_)) => {
            walk(path, &Value::Object(Map::new()), new, changes);
        }
        (old, new) if old != new => {
            changes.push(Change {
                path: path.to_owned(),
                from: old.clone(),
                to: new.clone(),
                rule: rule(path, new),
            });
        }
        _ => {}
    }
}

fn rule(path: &str, new: &Value) -> FieldRule {
    if path == "job.state" {
        return FieldRule::State;
    }
    if path == "job.savepointRedeployNonce" {
        return if new.is_null() {
            FieldRule::NoChange
        } else {
            FieldRule::Redeploy
        };
    }
    if path == "restartNonce" && new.is_null() {
        return FieldRule::NoChange;
    }
    let in_place = IN_PLACE_FIELDS.contains(&path)
        || path
            .strip_prefix("flinkConfiguration.")
            .is_some_and(|key| IN_PLACE_KEYS.iter().any(|prefix| key.starts_with(prefix)));
    if in_place {
        FieldRule::InPlace
    } else {
        FieldRule::NewDeployment
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(value: Value) -> FlinkDeploymentSpec {
        serde_json::from_value(value).unwrap()
    }

    // As the classes of upstream's operator 1.7.0 read and write it.
    #[test]
    fn what_upstreams_client_writes_out_is_no_change() {
        let pod = json!({ "spec": { "containers": [{ "name": "flink-main-container" }] } });
        let mut written_out = pod.clone();
        written_out["apiVersion"] = json!("v1");
        written_out["kind"] = json!("Pod");
        let ours = spec(json!({
            "flinkConfiguration": { "taskmanager.numberOfTaskSlots": 2 },
            "podTemplate": pod, "jobManager": { "podTemplate": pod }, "taskManager": { "podTemplate": pod },
            "job": { "jarURI": "local:///job.jar" },
        }));
        let theirs = json!({
            "flinkConfiguration": { "taskmanager.numberOfTaskSlots": "2" },
            "podTemplate": written_out, "jobManager": { "podTemplate": written_out, "replicas": 1 },
            "taskManager": { "podTemplate": written_out },
            "job": { "jarURI": "local:///job.jar", "args": [], "state": "running", "upgradeMode": "stateless" },
        });
        assert_eq!(differences(&ours, &spec(theirs.clone())), []);
        assert_eq!(normalized(&ours), normalized(&spec(theirs.clone())));

        let mut changed = theirs;
        changed["jobManager"]["podTemplate"]["kind"] = json!("Deployment");
        assert_eq!(differences(&ours, &spec(changed)).len(), 1);
    }
}
