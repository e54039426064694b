//! `sluice demo`.

use std::path::PathBuf;

use clap::Args;
use sluice_local::distribution::Wanted;

use crate::failure::Failure;
use crate::runner::Context;

/// Upgrade a real, stateful Flink job on this machine, and count what it wrote
///
/// Installs Flink if absent, starts a runner in a directory of its own, deploys the ledger job and feeds it events all the
/// while. Then: an upgrade with state, blue to green; a version that cannot start, and its abort; an upgrade back; and the
/// same with a second resource in ADVANCED mode. At the end it counts what was lost and what came twice. Takes a few
/// minutes and leaves nothing running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  make demo                                  build all that is needed, and run it
  sluice demo --keep                         leave it running to play with
  sluice demo --flink 2.3.0 --directory /tmp/demo

Exit code 1 if ADVANCED mode lost or doubled anything.")]
pub(crate) struct Arguments {
    /// The ledger job's jar [default: examples/ledger-job/target/ledger-job.jar, or the only jar there]
    #[arg(long, value_name = "PATH")]
    job_jar: Option<PathBuf>,

    /// Leave the runner, the jobs and the feeder's events as they are at the end
    #[arg(long)]
    keep: bool,

    /// Flink's version
    #[arg(long, value_name = "VERSION", default_value = "1.20.5")]
    flink: Wanted,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let _ = (arguments.job_jar, arguments.keep, arguments.flink, context);
    Err(Failure::refused("The demo is not there yet."))
}
