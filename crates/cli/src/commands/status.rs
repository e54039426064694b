//! `sluice status`.

use std::time::Duration;

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::source::{Scope, Source};
use crate::view::verdict::{Verdict, Wanted, judge};

/// Say in one line how a resource is, for scripts
///
/// The exit code says whether it is as wanted; with --wait only once that is decided.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:
  0  as wanted
  1  an error: no runner, no cluster, no such resource
  2  the command line is wrong
  3  aborted, failing, suspended or refused: by itself it will not be as wanted
  4  not as wanted when the time was up (without --wait: not yet)

Examples:
  sluice apply -f job.yaml && sluice status orders --wait --timeout 10m
  sluice status orders --wait --for promotion && ./smoke-test && sluice promote orders
  sluice status orders || echo \"look at orders\"")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,

    /// Wait until it is as wanted, or will not be
    #[arg(short, long)]
    wait: bool,

    /// How long to wait: 90s, 10m, 1h
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = timeout)]
    timeout: Duration,

    /// What is wanted
    #[arg(long = "for", value_enum, value_name = "WHAT", default_value_t)]
    wanted: Wanted,
}

/// A duration as people write it.
pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "write a duration such as 90s, 10m or 1h".to_owned())?;
    Duration::try_from(duration).map_err(|_| "write a duration of 0 or more".to_owned())
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let source = context.source().await?;
    if !arguments.wait {
        return match verdict(&source, &arguments).await? {
            Verdict::NotYet(text) => Err(Failure::TimedOut(text)),
            verdict => decided(verdict, context).unwrap_or(Ok(())),
        };
    }
    let wait = async {
        let mut changes = source.changes(&arguments.name, Scope::Resource).await?;
        loop {
            changes.look().await?;
            match decided(verdict(&source, &arguments).await?, context) {
                Some(result) => return result,
                None => changes.changed().await?,
            }
        }
    };
    tokio::select! {
        result = wait => result,
        () = tokio::time::sleep(arguments.timeout) => {
            let text = match verdict(&source, &arguments).await? {
                Verdict::Reached(text) | Verdict::NotYet(text) | Verdict::NotAsWanted(text) => text,
            };
            Err(Failure::TimedOut(format!("The time is up. {text}")))
        }
    }
}

/// The result, as soon as it is decided.
fn decided(verdict: Verdict, context: &Context) -> Option<Result<(), Failure>> {
    match verdict {
        Verdict::NotYet(_) => None,
        Verdict::Reached(text) => Some(context.out.line(&text)),
        Verdict::NotAsWanted(text) => Some(Err(Failure::NotAsWanted(text))),
    }
}

async fn verdict(source: &Source, arguments: &Arguments) -> Result<Verdict, Failure> {
    let resource = source.resource(&arguments.name).await?;
    Ok(judge(&resource, arguments.wanted))
}
