//! Sluice's custom resource definitions, installed from `deploy/crds`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client};
use serde_json::Value;

use crate::places;

const FIELD_MANAGER: &str = "sluice-cluster";
const TIME_TO_ESTABLISH: Duration = Duration::from_mins(1);

/// Applies every definition and returns when the API server serves them.
pub(crate) async fn install(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut names = Vec::new();
    for file in files(&places::in_workspace("../../deploy/crds"))? {
        let definition = read(&file)?;
        let name = definition.pointer("/metadata/name").and_then(Value::as_str);
        let name = name.with_context(|| format!("{} has no metadata.name.", file.display()))?;
        definitions
            .patch(
                name,
                &PatchParams::apply(FIELD_MANAGER).force(),
                &Patch::Apply(&definition),
            )
            .await
            .with_context(|| format!("The API server refused {}.", file.display()))?;
        names.push(name.to_owned());
    }
    for name in names {
        let established = await_condition(definitions.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(TIME_TO_ESTABLISH, established)
            .await
            .with_context(|| {
                format!(
                    "The definition {name} was not established within {} s.",
                    TIME_TO_ESTABLISH.as_secs()
                )
            })?
            .with_context(|| format!("The definition {name} could not be watched."))?;
    }
    Ok(())
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let problem = || format!("The definitions in {} could not be listed.", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(problem)? {
        let path = entry.with_context(problem)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!(
            "{} holds no definition; run `cargo xtask codegen`.",
            directory.display()
        );
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Value> {
    let problem = || format!("{} could not be read.", file.display());
    let text = fs::read_to_string(file).with_context(problem)?;
    serde_saphyr::from_str(&text).with_context(problem)
}
