//! `sluice convert`.

use std::path::PathBuf;

use clap::Args;
use sluice_api::settings::key;

use super::input;
use crate::context::Context;
use crate::convert::convert;
use crate::failure::Failure;
use crate::output::note;

/// Make a FlinkBlueGreenDeployment out of a FlinkDeployment
///
/// Changes the kind, puts the specification under `spec.template.spec`, and keeps comments, order and quotes. A file may
/// hold several documents; other kinds, and what is converted already, stay as they are. Nothing is written but standard
/// output; remarks go to standard error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice convert -f flinkdeployment.yaml > bluegreen.yaml
  sluice convert -f flinkdeployment.yaml --configuration
  sluice convert -f job.yaml --set kubernetes.operator.bluegreen.promotion=MANUAL
  kubectl get flinkdep orders -o yaml | sluice convert -f - | sluice plan -f -")]
pub(crate) struct Arguments {
    /// File with the FlinkDeployment; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,

    /// Write the three settings that every migration looks at, with their defaults
    #[arg(long)]
    configuration: bool,

    /// A setting for `spec.configuration`; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// As FLINK-38421's page writes them.
const DEFAULTS: [(&str, &str); 3] = [
    (key::ABORT_GRACE_PERIOD, "10 min"),
    (key::RESCHEDULE_INTERVAL, "15s"),
    (key::DEPLOYMENT_DELETION_DELAY, "0ms"),
];

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let text = input::read(&arguments.file)?;
    let mut configuration: Vec<(String, String)> = Vec::new();
    if arguments.configuration {
        configuration.extend(DEFAULTS.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    for (key, value) in &arguments.set {
        configuration.retain(|(other, _)| other != key);
        configuration.push((key.clone(), value.clone()));
    }
    let converted = convert(&text, &configuration)
        .map_err(|error| Failure::refused(format!("{}: {error}", input::origin(&arguments.file))))?;
    for remark in &converted.notes {
        note(&format!("sluice: {remark}"));
    }
    context.out.text(&converted.text)
}
