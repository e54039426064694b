//! `sluice watch`.

use std::time::Duration;

use clap::Args;
use sluice_local::client::Client;
use sluice_local::store::Kind;

use crate::failure::Failure;
use crate::runner::{Context, around, failed, optional, snapshot};
use crate::view::Clock;
use crate::view::screen::Screen;
use crate::view::transition::{change_line, live};

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
        result = Box::pin(follow(&client, &arguments.name, context)) => result,
        // The terminal shows ^C; the prompt comes in a line of its own.
        _ = tokio::signal::ctrl_c() => match context.out.size() {
            Some(_) => context.out.line(""),
            None => Ok(()),
        },
    }
}

async fn follow(client: &Client, name: &str, context: &Context) -> Result<(), Failure> {
    let mut screen = Screen::default();
    let mut last_line = String::new();
    loop {
        // Before the objects: a change between the two is looked at once more.
        let info = client.info().await.map_err(failed)?;
        let resource = optional(client, Kind::FlinkBlueGreenDeployment, context.namespace(), name).await?;
        let Some(resource) = resource else {
            return context.out.line(&format!("{name} is gone."));
        };
        let seen = around(client, context.namespace(), resource, &info).await?;
        let clock = Clock::system();
        if let Some((columns, rows)) = context.out.size() {
            let block = live(&seen, context.out.palette(), &clock, columns);
            context.out.text(&screen.draw(&block, columns, rows))?;
            tokio::select! {
                changes = client.watch(info.store_version) => { changes.map_err(failed)?; }
                () = tokio::time::sleep(TICK) => {}
            }
        } else {
            let line = change_line(&seen, &clock);
            if line != last_line {
                context.out.line(&format!("{} {line}", clock.moment(clock.now)))?;
                last_line = line;
            }
            client.watch(info.store_version).await.map_err(failed)?;
        }
    }
}
