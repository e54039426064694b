//! The demo: a real job, upgraded while it runs, and the count of what it wrote.

mod commits;
mod feeder;
pub mod ledger;
mod manifest;
mod place;
pub mod report;
mod stage;
mod story;

use std::path::PathBuf;
use std::process::Child;

use sluice_api::gate::Strategy;
use sluice_local::client::Client;
use sluice_local::distribution::{FlinkVersion, Source};
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::{flink, local};
use crate::failure::Failure;
use crate::output::{Out, note};
use crate::runner::failed;

use place::Place;

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The ledger job.
    pub(crate) jar: PathBuf,
    /// The agent, with which the incoming job of ADVANCED mode comes up before the outgoing one is stopped.
    pub(crate) agent_jar: Option<PathBuf>,
    /// The strategy of ADVANCED mode that is shown.
    pub(crate) strategy: Strategy,
    /// Flink's release.
    pub(crate) flink: FlinkVersion,
    /// The demo's own directory.
    pub(crate) directory: PathBuf,
    /// Leave it running.
    pub(crate) keep: bool,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
}

/// Runs the demo; whatever happens, nothing is left running unless `keep` says so and all went well.
pub(crate) async fn run(settings: &Settings, out: &Out) -> Result<(), Failure> {
    let place = Place::prepare(&settings.directory, &settings.jar).await?;
    let runner = tokio::select! {
        runner = prepared(settings) => runner?,
        interrupted = interrupted() => return Err(interrupted),
    };
    let result = tokio::select! {
        result = perform(settings, &place, out) => result,
        interrupted = interrupted() => Err(interrupted),
    };
    if result.is_ok() && settings.keep {
        return Ok(());
    }
    if result.is_err() {
        note("sluice: the demo ends here; its jobs are being stopped.");
    }
    let cleared = local::clear_away(&settings.directory, runner, settings.verbose).await;
    match &result {
        Ok(()) if cleared.is_ok() => place.remove()?,
        _ => note(&format!(
            "sluice: its logs and files are in {}.",
            settings.directory.display()
        )),
    }
    result.and(cleared)
}

/// Flink and a runner.
async fn prepared(settings: &Settings) -> Result<Child, Failure> {
    flink::install(settings.flink, Source::from_environment()).await?;
    local::start(
        &settings.directory,
        settings.agent_jar.as_deref(),
        settings.verbose,
    )
    .await
}

async fn perform(settings: &Settings, place: &Place, out: &Out) -> Result<(), Failure> {
    let client = Client::connect(&settings.directory).await.map_err(failed)?;
    Box::pin(story::tell(settings, place, &client, out)).await
}

/// Ends with the first signal that asks this process to end.
async fn interrupted() -> Failure {
    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return Failure::refused("The signals of this process cannot be listened to.");
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Failure::Interrupted
}
