//! `sluice abort`.

use clap::Args;
use sluice_api::metadata::ANNOTATION_ABORT;

use super::steer::{self, Command};
use crate::context::Context;
use crate::failure::Failure;

/// Abort the transition under way
///
/// BASIC: the active job goes on untouched. ADVANCED: it is started again from where it stopped, or from the new job's last
/// checkpoint. The new specification is set aside until it changes or is retried. What becomes of the new deployment is set
/// by `kubernetes.operator.bluegreen.abort.failed-deployment`. Beyond the point of no return (the step Switching) nothing
/// is aborted any more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice abort orders")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let command = Command {
        annotation: ANNOTATION_ABORT,
        acknowledged: |status| status.abort.clone(),
    };
    steer::run(&arguments.name, &command, context).await
}
