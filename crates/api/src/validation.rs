//! What a resource must be before anything is done with it. All problems are found at once, and nothing is rewritten.

use std::collections::BTreeMap;

use crate::blue_green::{FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec};
use crate::configuration::FlinkConfiguration;
use crate::flink_deployment::{FlinkDeployment, FlinkDeploymentSpec, JobSpec};
pub use crate::problem::Problem;
use crate::settings::BlueGreenSettings;

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
    let empty = BTreeMap::new();
    let settings = BlueGreenSettings::read(
        spec.configuration.as_ref().unwrap_or(&empty),
        defaults,
        spec.transition_mode,
    )?;
    let Some(child) = spec.template.as_ref().and_then(|template| template.spec.as_ref()) else {
        return Err(vec![Problem::new("spec.template.spec", "is missing")]);
    };
    let Some(job) = &child.job else {
        return Err(vec![Problem::new("spec.template.spec.job", "is missing")]);
    };
    let configuration = read_configuration("spec.template.spec", child)?;
    Ok(ValidSpec {
        settings,
        savepoint_directory: savepoint_directory(&configuration),
        spec: spec.clone(),
        child: child.clone(),
        job: job.clone(),
        configuration,
    })
}

/// Checks a FlinkDeployment in application mode against every rule.
pub fn validate_flink_deployment(resource: &FlinkDeployment) -> Result<ValidDeployment, Vec<Problem>> {
    let spec = &resource.spec;
    let Some(job) = &spec.job else {
        return Err(vec![Problem::new("spec.job", "is missing")]);
    };
    let configuration = read_configuration("spec", spec)?;
    Ok(ValidDeployment {
        savepoint_directory: savepoint_directory(&configuration),
        checkpoint_directory: checkpoint_directory(&configuration),
        spec: spec.clone(),
        job: job.clone(),
        configuration,
    })
}

fn read_configuration(path: &str, spec: &FlinkDeploymentSpec) -> Result<FlinkConfiguration, Vec<Problem>> {
    let field = format!("{path}.flinkConfiguration");
    spec.flink_configuration.as_ref().map_or_else(
        || Ok(FlinkConfiguration::default()),
        |value| FlinkConfiguration::read_at(&field, value),
    )
}

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
