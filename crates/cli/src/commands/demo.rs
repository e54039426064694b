//! `sluice demo`.

use std::path::PathBuf;

use clap::Args;
use sluice_api::gate::Strategy;
use sluice_local::distribution::Wanted;

use crate::context::Context;
use crate::demo::{self, Settings};
use crate::failure::Failure;

/// Upgrade a real, stateful Flink job on this machine, and count what it wrote
///
/// Installs Flink if absent, starts a runner in a directory of its own, deploys the ledger job and feeds it events all the
/// while. Then: an upgrade with state, blue to green; a version that cannot start, and its abort; an upgrade back; and the
/// same with a second resource in ADVANCED mode, by the strategy WATERMARK if there is an agent. At the end it counts what was lost and what came twice. Takes a few
/// minutes and leaves nothing running. Its directory, if none is given, is the runner's with `-demo` at the end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  make demo                                  build all that is needed, and run it
  sluice demo --keep                         leave it running to play with
  sluice demo --flink 2.3.0 --directory /tmp/demo

Exit code 1 if ADVANCED mode lost or doubled anything.")]
pub(crate) struct Arguments {
    /// The ledger job's jar [default: examples/ledger-job/target/ledger-job.jar]
    #[arg(long, value_name = "PATH")]
    job_jar: Option<PathBuf>,

    /// The agent's jar: with it, ADVANCED mode hands over without a pause
    #[arg(long, value_name = "PATH")]
    agent_jar: Option<PathBuf>,

    /// How ADVANCED mode hands over [default: watermark with an agent's jar, savepoint without]
    #[arg(long, value_name = "STRATEGY", value_parser = ["savepoint", "watermark"])]
    strategy: Option<String>,

    /// At the end let the jobs go on, and say how to look at them
    #[arg(long)]
    keep: bool,

    /// Flink's version
    #[arg(long, value_name = "VERSION", default_value = "1.20.5")]
    flink: Wanted,
}

/// Where `make demo` builds it.
const JAR: &str = "examples/ledger-job/target/ledger-job.jar";

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    context.this_machine("demo")?;
    let flink = arguments.flink.to_install().ok_or_else(|| {
        Failure::refused(format!(
            "The newest release of Flink {} is not known here: give its full number.",
            arguments.flink
        ))
    })?;
    // The demo clears its directory, so it is never the one of the user's own runner.
    let directory = if let Some(directory) = &context.wish.directory {
        std::path::absolute(directory).unwrap_or_else(|_| directory.clone())
    } else {
        let own = context.directory()?;
        let name = own.file_name().unwrap_or_default().to_string_lossy().into_owned();
        own.with_file_name(format!("{name}-demo"))
    };
    let strategy = match (arguments.strategy.as_deref(), &arguments.agent_jar) {
        (Some("savepoint"), _) | (None, None) => Strategy::Savepoint,
        (_, Some(_)) => Strategy::Watermark,
        (Some(_), None) => {
            return Err(Failure::refused(
                "The strategy WATERMARK needs the agent: name its jar with --agent-jar.",
            ));
        }
    };
    let settings = Settings {
        jar: arguments.job_jar.unwrap_or_else(|| PathBuf::from(JAR)),
        strategy,
        agent_jar: arguments.agent_jar,
        flink,
        directory,
        keep: arguments.keep,
        verbose: context.verbose,
    };
    Box::pin(demo::run(&settings, &context.out)).await
}
