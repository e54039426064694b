//! `sluice promote`.

use clap::Args;
use sluice_api::metadata::ANNOTATION_PROMOTE;

use super::steer::{self, Command};
use crate::context::Context;
use crate::failure::Failure;

/// Let a transition that waits for a person take over
///
/// With `kubernetes.operator.bluegreen.promotion: MANUAL` a transition stops when the new deployment is ready. This lets
/// it go on; from then on there is no way back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice status orders --wait --for promotion && sluice promote orders")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let command = Command {
        annotation: ANNOTATION_PROMOTE,
        acknowledged: |status| status.promote.clone(),
    };
    steer::run(&arguments.name, &command, context).await
}
