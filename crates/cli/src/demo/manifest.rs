//! The demo's resources: the files of `examples/`, with the paths and the versions of this run.

use std::path::Path;

use serde_json::{Value, json};
use sluice_api::gate::Strategy;
use sluice_api::settings::key;
use sluice_local::distribution::FlinkVersion;

use super::report::Way;
use crate::failure::Failure;

const BASIC: &str = include_str!("../../../../examples/basic.yaml");
const SAVEPOINT: &str = include_str!("../../../../examples/advanced-savepoint.yaml");
const WATERMARK: &str = include_str!("../../../../examples/advanced-watermark.yaml");

/// Where the files of `examples/` keep everything; the demo keeps it in its own directory.
const EXAMPLE_DIRECTORY: &str = "/tmp/sluice-example";

/// One resource of the demo.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    resource: Value,
}

impl Manifest {
    /// The file of `examples/` for this way.
    pub(super) fn new(way: Way, directory: &Path, flink: FlinkVersion) -> Result<Self, Failure> {
        let text = match way {
            Way::Basic => BASIC,
            Way::Advanced(Strategy::Savepoint) => SAVEPOINT,
            Way::Advanced(Strategy::Watermark) => WATERMARK,
        };
        Self::of(text, directory, flink)
    }

    fn of(text: &str, directory: &Path, flink: FlinkVersion) -> Result<Self, Failure> {
        let mut resource: Value = serde_saphyr::from_str(text).map_err(|error| {
            Failure::refused(format!("An example that is built in cannot be read: {error}."))
        })?;
        move_paths(&mut resource, &directory.display().to_string());
        let mut manifest = Self { resource };
        let line = flink.line().to_string().replace('.', "_");
        manifest.set("/spec/template/spec", "flinkVersion", json!(format!("v{line}")));
        Ok(manifest)
    }

    /// The resource's name.
    pub(super) fn name(&self) -> String {
        self.resource
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// The document to apply.
    pub(super) fn document(&self) -> Value {
        self.resource.clone()
    }

    /// The same with another label: a new version of the job.
    pub(super) fn version(&self, label: &str) -> Self {
        let mut other = self.clone();
        if let Some(Value::Array(arguments)) = other.resource.pointer_mut("/spec/template/spec/job/args")
            && let Some(last) = arguments.last_mut()
        {
            *last = json!(label);
        }
        other
    }

    /// The same as a version that cannot start, and that is given up soon.
    pub(super) fn broken(&self, grace_period: &str) -> Self {
        let mut other = self.clone();
        if let Some(Value::Array(arguments)) = other.resource.pointer_mut("/spec/template/spec/job/args") {
            arguments.push(json!("--fail-at-start"));
        }
        other.set(
            "/spec/configuration",
            key::ABORT_GRACE_PERIOD,
            json!(grace_period),
        );
        other
    }

    /// The same, suspended or running.
    pub(super) fn state(&self, state: &str) -> Self {
        let mut other = self.clone();
        other.set("/spec/template/spec/job", "state", json!(state));
        other
    }

    fn set(&mut self, parent: &str, key: &str, value: Value) {
        if let Some(Value::Object(parent)) = self.resource.pointer_mut(parent) {
            parent.insert(key.to_owned(), value);
        }
    }
}

fn move_paths(value: &mut Value, directory: &str) {
    match value {
        Value::String(text) => *text = text.replace(EXAMPLE_DIRECTORY, directory),
        Value::Array(items) => items.iter_mut().for_each(|item| move_paths(item, directory)),
        Value::Object(fields) => fields.values_mut().for_each(|field| move_paths(field, directory)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user's first apply is one of these files: they must be right as they stand.
    #[test]
    fn the_examples_are_valid_as_they_stand() {
        for text in [BASIC, SAVEPOINT, WATERMARK] {
            let value: Value = serde_saphyr::from_str(text).unwrap();
            let resource = sluice_api::read_blue_green(&value).unwrap();
            sluice_api::validate(&resource, &std::collections::BTreeMap::new()).unwrap();
        }
    }

    #[test]
    fn every_version_of_the_demo_is_valid_and_differs_only_where_it_should() {
        let flink = "2.3.0".parse().unwrap();
        for way in [
            Way::Basic,
            Way::Advanced(Strategy::Savepoint),
            Way::Advanced(Strategy::Watermark),
        ] {
            let manifest = Manifest::new(way, Path::new("/demo"), flink).unwrap();
            for version in [
                manifest.version("v2"),
                manifest
                    .version("v3")
                    .broken(super::super::story::SHORT_GRACE_PERIOD),
                manifest.state("suspended"),
            ] {
                let document = version.document();
                assert!(!document.to_string().contains(EXAMPLE_DIRECTORY), "{document}");
                let resource = sluice_api::read_blue_green(&document).unwrap();
                let valid = sluice_api::validate(&resource, &std::collections::BTreeMap::new()).unwrap();
                assert_eq!(valid.child.flink_version.as_deref(), Some("v2_3"));
                assert_ne!(version.resource, manifest.resource);
            }
        }
    }
}
