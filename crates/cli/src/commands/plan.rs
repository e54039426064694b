//! `sluice plan`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::crd::Kind;
use sluice_core::bluegreen::Observed;
use sluice_core::bluegreen::plan::plan;
use sluice_local::client::read_manifests;

use super::input;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::view::plan::{Plan, as_if_running};

/// Say what an edit would do, and change nothing
///
/// For every FlinkBlueGreenDeployment of the file: IGNORE, PATCH_CHILD, TRANSITION and so on, the fields and rules that
/// decide it, whether a savepoint is taken, what the records written by both jobs add up to, and what runs beside each
/// other meanwhile. Compared is with what the runner or the cluster has, or, without either, with --current.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice plan -f job.yaml
  sluice plan -f new.yaml --current old.yaml
  git show HEAD:job.yaml | sluice plan -f job.yaml --current -
  sluice plan -f job.yaml -o json | jq '.[].kind'")]
pub(crate) struct Arguments {
    /// File with the edited resources; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,

    /// Compare with this file instead of what the runner or the cluster has
    #[arg(long, value_name = "FILE")]
    current: Option<PathBuf>,

    /// A default that the operator's own configuration sets; a cluster does not tell them; may be given several times
    #[arg(long = "default", value_name = "KEY=VALUE", value_parser = key_and_value)]
    defaults: Vec<(String, String)>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let edited = resources(&arguments.file)?;
    if edited.is_empty() {
        return Err(Failure::refused(format!(
            "There is no FlinkBlueGreenDeployment in {}.",
            input::origin(&arguments.file)
        )));
    }
    let with_defaults = |mut observed: Observed| {
        observed.defaults.extend(arguments.defaults.iter().cloned());
        observed
    };
    let mut plans = Vec::with_capacity(edited.len());
    let now = Timestamp::now();
    if let Some(file) = &arguments.current {
        let current = resources(file)?;
        for resource in &edited {
            let name = &resource.metadata.name;
            let before = current.iter().find(|other| other.metadata.name == *name);
            let mut plan = plan(&with_defaults(as_if_running(before)), resource, now);
            // What stands in a file says nothing about what a runner would do at this moment.
            plan.decision.effects.clear();
            plans.push(Plan::of(name.as_deref().unwrap_or_default(), &plan));
        }
    } else {
        let source = context.source().await?;
        for resource in &edited {
            let namespace = resource
                .metadata
                .namespace
                .as_deref()
                .unwrap_or(source.namespace());
            let name = resource.metadata.name.as_deref().unwrap_or_default();
            let there = source.observed(namespace, name).await?;
            let observed = with_defaults(there.unwrap_or_else(|| as_if_running(None)));
            plans.push(Plan::of(name, &plan(&observed, resource, now)));
        }
    }
    match arguments.output {
        Format::Table => {
            let texts: Vec<String> = plans
                .iter()
                .map(|plan| plan.text(context.out.palette()))
                .collect();
            context.out.text(&texts.join("\n"))?;
        }
        format => context.out.value(&plans, format == Format::Yaml)?,
    }
    if plans.iter().any(|plan| !plan.problems.is_empty()) {
        return Err(Failure::refused(
            "The edit would be refused; a running job would go on untouched.",
        ));
    }
    Ok(())
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// The blue/green resources of a file.
fn resources(file: &Path) -> Result<Vec<FlinkBlueGreenDeployment>, Failure> {
    let documents = read_manifests(&input::origin(file), &input::read(file)?).map_err(Failure::refused)?;
    documents
        .iter()
        .filter(|document| {
            document.get("kind").and_then(Value::as_str) == Some(Kind::FlinkBlueGreenDeployment.name())
        })
        .map(|document| {
            sluice_api::read_blue_green(document).map_err(|problems| {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Failure::refused(format!("{}:\n{}", input::origin(file), lines.join("\n")))
            })
        })
        .collect()
}
