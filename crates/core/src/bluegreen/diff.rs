//! What kind of change an edit is (FLIP-503's `FlinkBlueGreenDeploymentSpecDiff`).
//!
//! Compared are two `spec.template.spec`: the one that the active child was made from and the present one. The rules are
//! tried in the order of [`DiffKind`]'s variants; the first that applies decides. What is applied in place are the fields
//! that upstream's `@SpecDiff` annotations ignore; everything else is a transition.

use std::borrow::Cow;

use serde_json::{Map, Value};
use sluice_api::blue_green::FlinkBlueGreenDeploymentSpec;
use sluice_api::configuration;
use sluice_api::{FlinkDeploymentSpec, JobState};

/// What an edit makes Sluice do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffKind {
    /// `job.state` went to suspended: the active child is suspended in place.
    Suspend,
    /// `job.state` went to running: the active child is resumed in place, with whatever else was edited.
    Resume,
    /// `savepointRedeployNonce` changed: a full transition from `initialSavepointPath`, without a new savepoint.
    SavepointRedeploy,
    /// The child specifications are equal, or a nonce was taken away: nothing to do.
    Ignore,
    /// Only fields that are applied in place differ: patched on the active child.
    PatchChild,
    /// Anything else: a new deployment beside the active one.
    Transition,
}

impl DiffKind {
    /// The design's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspend => "SUSPEND",
            Self::Resume => "RESUME",
            Self::SavepointRedeploy => "SAVEPOINT_REDEPLOY",
            Self::Ignore => "IGNORE",
            Self::PatchChild => "PATCH_CHILD",
            Self::Transition => "TRANSITION",
        }
    }
}

/// What one changed field asks for by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldRule {
    /// Decided by `job.state`.
    State,
    /// Decided by `savepointRedeployNonce`.
    Redeploy,
    /// A nonce that was taken away: no change.
    NoChange,
    /// Applied in place.
    InPlace,
    /// Needs a new deployment.
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

/// The difference of two specifications.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// What it makes Sluice do.
    pub kind: DiffKind,
    /// The fields that differ, by path.
    pub changes: Vec<Change>,
}

/// The fields of the job that are applied in place.
const IN_PLACE_JOB_FIELDS: [&str; 6] = [
    "job.savepointTriggerNonce",
    "job.checkpointTriggerNonce",
    "job.initialSavepointPath",
    "job.upgradeMode",
    "job.allowNonRestoredState",
    "job.autoscalerResetNonce",
];

/// The beginnings of the keys of `flinkConfiguration` that are applied in place.
const IN_PLACE_CONFIGURATION: [&str; 3] = ["job.autoscaler", "parallelism.default", "kubernetes.operator"];

/// Compares two blue/green specifications.
pub fn compare(old: &FlinkBlueGreenDeploymentSpec, new: &FlinkBlueGreenDeploymentSpec) -> Diff {
    let (old, new) = (child_spec(old), child_spec(new));
    let mut changes = Vec::new();
    walk("", &normalized(&old), &normalized(&new), &mut changes);
    Diff {
        kind: kind(&old, &new, &changes),
        changes,
    }
}

fn kind(old: &FlinkDeploymentSpec, new: &FlinkDeploymentSpec, changes: &[Change]) -> DiffKind {
    match (job_state(old), job_state(new)) {
        (JobState::Running, JobState::Suspended) => return DiffKind::Suspend,
        (JobState::Suspended, JobState::Running) => return DiffKind::Resume,
        (JobState::Running, JobState::Running) | (JobState::Suspended, JobState::Suspended) => {}
    }
    let has = |rule| changes.iter().any(|change| change.rule == rule);
    if has(FieldRule::Redeploy) {
        DiffKind::SavepointRedeploy
    } else if has(FieldRule::NewDeployment) {
        DiffKind::Transition
    } else if has(FieldRule::InPlace) {
        DiffKind::PatchChild
    } else {
        DiffKind::Ignore
    }
}

/// Whether the job of a child specification should run; absent means running.
pub fn job_state(spec: &FlinkDeploymentSpec) -> JobState {
    spec.job.as_ref().and_then(|job| job.state).unwrap_or_default()
}

/// `template.spec`, or an empty one.
pub fn child_spec(spec: &FlinkBlueGreenDeploymentSpec) -> Cow<'_, FlinkDeploymentSpec> {
    let present = spec.template.as_ref().and_then(|template| template.spec.as_ref());
    present.map_or_else(|| Cow::Owned(FlinkDeploymentSpec::default()), Cow::Borrowed)
}

/// The specification as JSON in which equal meaning is equal text: configuration flattened, the default state left out.
pub fn normalized(spec: &FlinkDeploymentSpec) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        if let Some(flink_configuration) = &spec.flink_configuration {
            let flat = configuration::flatten(flink_configuration);
            let flat: Map<String, Value> = flat.into_iter().map(|(key, text)| (key, text.into())).collect();
            if flat.is_empty() {
                fields.remove("flinkConfiguration");
            } else {
                fields.insert("flinkConfiguration".to_owned(), Value::Object(flat));
            }
        }
        if let Some(Value::Object(job)) = fields.get_mut("job")
            && job_state(spec) == JobState::Running
        {
            job.remove("state");
        }
    }
    value
}

fn walk(path: &str, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
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
        // An object that comes or goes is told field by field, so that each field's own rule applies.
        (Value::Object(_), Value::Null) => walk(path, old, &Value::Object(Map::new()), changes),
        (Value::Null, Value::Object(fields)) if !fields.is_empty() => {
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
    let in_place = IN_PLACE_JOB_FIELDS.contains(&path)
        || path.strip_prefix("flinkConfiguration.").is_some_and(|key| {
            IN_PLACE_CONFIGURATION
                .iter()
                .any(|prefix| key.starts_with(prefix))
        });
    if in_place {
        FieldRule::InPlace
    } else {
        FieldRule::NewDeployment
    }
}
