//! What a resource must be before anything is done with it. All problems are found at once, and nothing is rewritten.

mod cluster;
mod gate;
mod ingress;
mod name;
mod options;
mod program;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::blue_green::{FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec, TransitionMode};
use crate::configuration::FlinkConfiguration;
use crate::flink_deployment::{FlinkDeployment, FlinkDeploymentSpec, JobSpec, UpgradeMode};
pub use crate::problem::Problem;
use crate::sentence;
use crate::settings::{BlueGreenSettings, key, transition_mode};

use cluster::{CheckedCluster, check_cluster};
pub(crate) use name::{LONGEST_BLUE_GREEN, LONGEST_FLINK_DEPLOYMENT};

/// A blue/green specification that passed [`validate`], with what was read from it.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidSpec {
    /// `spec.configuration` over the operator's defaults.
    pub settings: BlueGreenSettings,
    /// The specification as the user wrote it.
    pub spec: FlinkBlueGreenDeploymentSpec,
    /// `spec.template.spec`.
    pub child: FlinkDeploymentSpec,
    /// `spec.template.spec.job`.
    pub job: JobSpec,
    /// `spec.template.spec.flinkConfiguration`, flattened.
    pub configuration: FlinkConfiguration,
    /// Where savepoints go: `execution.checkpointing.savepoint-dir` or `state.savepoints.dir`.
    pub savepoint_directory: Option<String>,
}

/// A FlinkDeployment in application mode that passed [`validate_flink_deployment`], with what was read from it.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidDeployment {
    /// The specification as the user wrote it.
    pub spec: FlinkDeploymentSpec,
    /// `spec.job`.
    pub job: JobSpec,
    /// `spec.flinkConfiguration`, flattened.
    pub configuration: FlinkConfiguration,
    /// Where savepoints go: `execution.checkpointing.savepoint-dir` or `state.savepoints.dir`.
    pub savepoint_directory: Option<String>,
    /// Where checkpoints go: `execution.checkpointing.dir` or `state.checkpoints.dir`.
    pub checkpoint_directory: Option<String>,
}

/// Checks a blue/green resource against every rule.
///
/// `defaults` are the operator-wide values of the keys in [`crate::settings::KEYS`].
pub fn validate(
    resource: &FlinkBlueGreenDeployment,
    defaults: &BTreeMap<String, String>,
) -> Result<ValidSpec, Vec<Problem>> {
    let spec = &resource.spec;
    let mut problems = Vec::new();
    name::check_blue_green(resource.metadata.name.as_deref(), &mut problems);
    check_size(spec, &mut problems);

    let own = spec.configuration.clone().unwrap_or_default();
    let settings = keep(
        BlueGreenSettings::read(&own, defaults, spec.transition_mode),
        &mut problems,
    );
    if let Some(ingress) = &spec.ingress {
        ingress::check("spec.ingress", ingress, &mut problems);
    }
    let child = spec.template.as_ref().and_then(|template| template.spec.as_ref());
    let Some(child) = child else {
        problems.push(Problem::new(
            "spec.template.spec",
            sentence::TEMPLATE_MISSING.text(),
        ));
        return Err(problems);
    };
    let path = "spec.template.spec";
    let checked = check_cluster(path, child, &mut problems);
    if let Some(checked) = &checked {
        let mode = spec
            .transition_mode
            .or_else(|| {
                transition_mode(
                    own.get(key::TRANSITION_MODE)
                        .or_else(|| defaults.get(key::TRANSITION_MODE))?,
                )
                .ok()
            })
            .unwrap_or_default();
        check_carried_state(path, checked, mode, &mut problems);
        let require = settings
            .as_ref()
            .map(|it| it.handover_require)
            .unwrap_or_default();
        gate::check(path, checked, mode, require, &mut problems);
        program::check_placeholders(path, checked, &mut problems);
        if let Some(settings) = &settings {
            program::check_transactions(path, checked, mode, settings, &mut problems);
        }
    }
    match (settings, checked) {
        (Some(settings), Some(checked)) if problems.is_empty() => Ok(ValidSpec {
            settings,
            spec: spec.clone(),
            child: child.clone(),
            savepoint_directory: savepoint_directory(&checked.configuration),
            job: checked.job,
            configuration: checked.configuration,
        }),
        _ => Err(problems),
    }
}

/// Checks a FlinkDeployment in application mode against every rule.
pub fn validate_flink_deployment(resource: &FlinkDeployment) -> Result<ValidDeployment, Vec<Problem>> {
    let spec = &resource.spec;
    let mut problems = Vec::new();
    name::check_flink_deployment(resource.metadata.name.as_deref(), &mut problems);
    check_size(spec, &mut problems);
    let checked = check_cluster("spec", spec, &mut problems);
    if let Some(checked) = &checked {
        check_upgrade_mode("spec", checked, &mut problems);
    }
    match checked {
        Some(checked) if problems.is_empty() => Ok(ValidDeployment {
            spec: spec.clone(),
            savepoint_directory: savepoint_directory(&checked.configuration),
            checkpoint_directory: checkpoint_directory(&checked.configuration),
            job: checked.job,
            configuration: checked.configuration,
        }),
        _ => Err(problems),
    }
}

/// The value, or its problems added to the others.
fn keep<T>(result: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

/// The largest specification, in bytes of JSON.
pub(crate) const LARGEST_SPEC: usize = 256 * 1024;

/// The status holds the specification again, and etcd takes requests of at most 1.5 MiB (its `--max-request-bytes`). A
/// resource that fits once and not twice would be accepted, and its status could never be written.
fn check_size(spec: &impl Serialize, problems: &mut Vec<Problem>) {
    let mut size = Counter(0);
    // Counting cannot fail, and a type of ours that cannot be written as JSON does not exist.
    let _ = serde_json::to_writer(&mut size, spec);
    let Counter(size) = size;
    if size > LARGEST_SPEC {
        problems.push(Problem::new(
            "spec",
            format!(
                "found {} KiB of JSON, expected at most 256 KiB, because the status holds a copy of it and Kubernetes stores at most 1.5 MiB for a resource; move large files to a ConfigMap that the pod template mounts",
                size.div_ceil(1024)
            ),
        ));
    }
}

const NO_SAVEPOINT_DIRECTORY: &str = "expected `execution.checkpointing.savepoint-dir` in flinkConfiguration, such as `s3://bucket/savepoints`";

/// How a blue/green transition carries the state over. It takes a savepoint in the mode `last-state`, too.
fn check_carried_state(
    path: &str,
    checked: &CheckedCluster,
    mode: TransitionMode,
    problems: &mut Vec<Problem>,
) {
    let field = format!("{path}.job.upgradeMode");
    let name = match checked.job.upgrade_mode.unwrap_or_default() {
        UpgradeMode::Stateless if mode == TransitionMode::Advanced => {
            problems.push(Problem::new(field, sentence::ADVANCED_STATELESS.text()));
            return;
        }
        UpgradeMode::Stateless => return,
        UpgradeMode::Savepoint => "savepoint",
        UpgradeMode::LastState => "last-state",
    };
    if savepoint_directory(&checked.configuration).is_none() {
        problems.push(Problem::new(
            field,
            format!("found `{name}`, which takes a savepoint, without a directory for it; {NO_SAVEPOINT_DIRECTORY}"),
        ));
    }
}

/// How an upgrade of a plain FlinkDeployment carries the state over.
fn check_upgrade_mode(path: &str, checked: &CheckedCluster, problems: &mut Vec<Problem>) {
    let field = format!("{path}.job.upgradeMode");
    let savepoints = savepoint_directory(&checked.configuration);
    match checked.job.upgrade_mode.unwrap_or_default() {
        UpgradeMode::Savepoint if savepoints.is_none() => problems.push(Problem::new(
            field,
            format!("found `savepoint` without a directory for it; {NO_SAVEPOINT_DIRECTORY}"),
        )),
        UpgradeMode::LastState
            if savepoints.is_none() && checkpoint_directory(&checked.configuration).is_none() =>
        {
            problems.push(Problem::new(
                field,
                "found `last-state` without a directory for checkpoints; expected `execution.checkpointing.dir` in flinkConfiguration, such as `s3://bucket/checkpoints`",
            ));
        }
        _ => {}
    }
}

/// Flink 2 has the first name, Flink 1 the second; both read both.
fn savepoint_directory(configuration: &FlinkConfiguration) -> Option<String> {
    first(
        configuration,
        &["execution.checkpointing.savepoint-dir", "state.savepoints.dir"],
    )
}

fn checkpoint_directory(configuration: &FlinkConfiguration) -> Option<String> {
    first(
        configuration,
        &["execution.checkpointing.dir", "state.checkpoints.dir"],
    )
}

/// The first of the keys that has a value.
fn first(configuration: &FlinkConfiguration, keys: &[&str]) -> Option<String> {
    keys.iter()
        .filter_map(|key| configuration.get(key))
        .map(str::trim)
        .find(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Counts what is written to it.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
