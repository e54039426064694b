//! `sluice retry`.

use clap::Args;
use sluice_api::metadata::ANNOTATION_RETRY;

use super::steer::{self, Command};
use crate::context::Context;
use crate::failure::Failure;

/// Try a specification once more that an abort has set aside
///
/// For a failure whose cause was outside the specification: a full disk, a missing file, a quota. The next transition
/// starts from a fresh deployment and a fresh savepoint.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice retry orders && sluice watch orders")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let command = Command {
        annotation: ANNOTATION_RETRY,
        acknowledged: |status| status.retry.clone(),
    };
    steer::run(&arguments.name, &command, context).await
}
