//! `sluice flink`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use sluice_local::distribution::{Cache, FlinkVersion, Source, Wanted, progress_for_terminal};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, note};
use crate::view::table;

/// Install Flink for the local runner, or list what is installed
///
/// A distribution is fetched once and kept in the user's cache ($SLUICE_CACHE, or $XDG_CACHE_HOME/sluice, or
/// ~/.cache/sluice). FLINK_HOME, if set, is used as well where it is of the wanted version.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch a Flink distribution, check it and keep it
    ///
    /// By pip from the Python package index (SLUICE_PYTHON names the Python), from the archive that SLUICE_FLINK_ARCHIVE
    /// names, or from a downloaded release.
    #[command(after_help = "Examples:
  sluice flink install 1.20.5
  sluice flink install v2_3
  sluice flink install 1.20.5 --from flink-1.20.5-bin-scala_2.12.tgz")]
    Install {
        /// A release (1.20.5), or a line for its newest release (1.20, v1_20)
        version: Wanted,

        /// A downloaded release archive
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// List the installed distributions
    #[command(after_help = "Examples:
  sluice flink list
  sluice flink list -o json")]
    List {
        /// How to print it
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    context.this_machine("flink")?;
    match arguments.command {
        Command::Install { version, from } => {
            let release = version.to_install().ok_or_else(|| {
                Failure::refused(format!(
                    "The newest release of Flink {version} is not known here: give its full number."
                ))
            })?;
            let source = from.map_or_else(Source::from_environment, Source::Tarball);
            let home = install(release, source).await?;
            context
                .out
                .line(&format!("Flink {release} is in {}", home.display()))
        }
        Command::List { output } => list(output, context),
    }
}

/// Installs a release where it is not there yet; its directory.
pub(crate) async fn install(version: FlinkVersion, source: Source) -> Result<PathBuf, Failure> {
    let installed = tokio::task::spawn_blocking(move || {
        Cache::for_user().install(version, &source, progress_for_terminal().as_mut())
    });
    let distribution = installed
        .await
        .map_err(Failure::refused)?
        .map_err(Failure::refused)?;
    Ok(distribution.home)
}

fn list(output: Format, context: &Context) -> Result<(), Failure> {
    let cache = Cache::for_user();
    for damage in cache.broken() {
        note(&format!("sluice: not usable: {damage}"));
    }
    let installed = cache.installed();
    if output != Format::Table {
        let values: Vec<_> = installed
            .iter()
            .map(|found| json!({ "version": found.version.to_string(), "home": found.home }))
            .collect();
        return context.out.value(&values, output == Format::Yaml);
    }
    if installed.is_empty() {
        return context
            .out
            .line("No Flink is installed; `sluice flink install 1.20.5` fetches one.");
    }
    let rows: Vec<Vec<String>> = installed
        .iter()
        .map(|found| vec![found.version.to_string(), found.home.display().to_string()])
        .collect();
    context
        .out
        .text(&table(context.out.palette(), &["VERSION", "HOME"], &rows))
}
