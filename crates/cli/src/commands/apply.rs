//! `sluice apply`.

use std::path::PathBuf;

use clap::Args;
use sluice_local::client::{Change, read_manifests};

use super::input;
use crate::context::Context;
use crate::failure::Failure;
use crate::runner::failed;

/// Create resources, or change them
///
/// Reads one or more YAML or JSON documents and hands them to the runner. All or nothing: if one document is wrong, every
/// problem is told and nothing is stored. A changed blue/green resource begins a transition; `sluice plan` says beforehand
/// which.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice apply -f job.yaml
  sluice apply -f job.yaml && sluice status orders --wait
  cat *.yaml | sluice apply -f -")]
pub(crate) struct Arguments {
    /// File with the resources; `-` for standard input; may be given several times
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let files: Vec<String> = arguments
        .file
        .iter()
        .map(|file| format!(" -f {}", file.display()))
        .collect();
    let instead = format!("kubectl apply{}", files.concat());
    context.only_here("apply", &instead)?;
    let mut documents = Vec::new();
    for file in &arguments.file {
        let text = input::read(file)?;
        documents.extend(read_manifests(&input::origin(file), &text).map_err(Failure::refused)?);
    }
    if documents.is_empty() {
        return Err(Failure::refused(
            "There is no document in what was given, so nothing was applied.",
        ));
    }
    if let Some(namespace) = &context.namespace {
        for document in &mut documents {
            put_into(document, namespace)?;
        }
    }
    let client = context.runner("apply", &instead).await?.client;
    for applied in client.apply(documents).await.map_err(failed)? {
        let change = match applied.change {
            Change::Created => "created",
            Change::Configured => "configured",
            Change::Unchanged => "unchanged",
        };
        context
            .out
            .line(&format!("{}/{} {change}", applied.kind, applied.name))?;
    }
    Ok(())
}

/// `--namespace` is for documents that name none; one that names another is a mistake, as with kubectl.
pub(crate) fn put_into(document: &mut serde_json::Value, namespace: &str) -> Result<(), Failure> {
    let Some(metadata) = document
        .get_mut("metadata")
        .and_then(|metadata| metadata.as_object_mut())
    else {
        return Ok(());
    };
    match metadata.get("namespace").and_then(|found| found.as_str()) {
        Some(found) if found != namespace => Err(Failure::Usage(format!(
            "A document is of namespace {found}, and --namespace says {namespace}: correct one of them."
        ))),
        Some(_) => Ok(()),
        None => {
            metadata.insert("namespace".to_owned(), namespace.into());
            Ok(())
        }
    }
}
