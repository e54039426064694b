//! `sluice watch`.

use std::time::Duration;

use clap::Args;
use sluice_local::client::Client;

use crate::failure::Failure;
use crate::runner::{Context, failed, snapshot};
use crate::view::transition::{change_line, live};
use crate::view::{Clock, text};

/// Follow a resource: the step, what is awaited, until when, and both jobs
///
/// On a terminal the view is redrawn in place, else there is one line for each change. Ends with Ctrl-C, or when the
/// resource is deleted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice watch orders
  sluice apply -f job.yaml && sluice watch orders")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,
}

/// Countdowns move once a second.
const TICK: Duration = Duration::from_secs(1);

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    // A name that is not there is an error at once, not something to wait for.
    snapshot(&client, context.namespace(), &arguments.name).await?;
    tokio::select! {
        result = follow(&client, &arguments.name, context) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn follow(client: &Client, name: &str, context: &Context) -> Result<(), Failure> {
    let mut drawn = 0;
    let mut last_line = String::new();
    loop {
        let version = client.info().await.map_err(failed)?.store_version;
        let Ok(seen) = snapshot(client, context.namespace(), name).await else {
            return context.out.line(&format!("{name} is gone."));
        };
        let clock = Clock::system();
        if let Some((columns, _)) = context.out.size() {
            let block = text::fit(&live(&seen, context.out.palette(), &clock), columns);
            // Up over the last block, and away with it.
            let back = if drawn > 0 {
                format!("\u{1b}[{drawn}A\u{1b}[0J")
            } else {
                String::new()
            };
            context.out.text(&(back + &block))?;
            drawn = block.lines().count();
            tokio::select! {
                changes = client.watch(version) => { changes.map_err(failed)?; }
                () = tokio::time::sleep(TICK) => {}
            }
        } else {
            let line = change_line(&seen, &clock);
            if line != last_line {
                context.out.line(&format!("{} {line}", clock.moment(clock.now)))?;
                last_line = line;
            }
            client.watch(version).await.map_err(failed)?;
        }
    }
}
