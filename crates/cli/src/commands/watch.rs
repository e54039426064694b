//! `sluice watch`.

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use sluice_local::store::Kind;

use crate::context::Context;
use crate::failure::Failure;
use crate::source::{Scope, Source};
use crate::view::Clock;
use crate::view::screen::Screen;
use crate::view::text::fit;
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
    let source = context.source().await?;
    // A name that is not there is an error at once, not something to wait for.
    source.resource(&arguments.name).await?;
    tokio::select! {
        result = Box::pin(follow(&source, &arguments.name, context)) => result,
        // The terminal shows ^C; the prompt comes in a line of its own.
        _ = tokio::signal::ctrl_c() => match context.out.size() {
            Some(_) => context.out.line(""),
            None => Ok(()),
        },
    }
}

async fn follow(source: &Source, name: &str, context: &Context) -> Result<(), Failure> {
    let mut screen = Screen::default();
    let mut last_line = String::new();
    let mut changes = source.changes(name, Scope::WithChildren).await?;
    loop {
        // Before the objects: a change between the two is looked at once more.
        changes.look().await?;
        let object = source
            .get(Kind::FlinkBlueGreenDeployment, source.namespace(), name)
            .await?;
        let Some(object) = object else {
            return context.out.line(&format!("{name} is gone."));
        };
        let seen = source.snapshot(object).await?;
        let clock = Clock::system();
        let line = change_line(&seen, &clock);
        if context.out.size().is_none() && line != last_line {
            context.out.line(&format!("{} {line}", clock.moment(clock.now)))?;
            last_line = line;
        }
        let mut something = pin!(changes.changed());
        loop {
            if let Some((columns, rows)) = context.out.size() {
                let block = live(&seen, context.out.palette(), &Clock::system(), columns);
                let block = match changes.trouble() {
                    Some(trouble) => format!("{block}\n{}\n", fit(&trouble, columns)),
                    None => block,
                };
                context.out.text(&screen.draw(&block, columns, rows))?;
            }
            tokio::select! {
                result = &mut something => break result?,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }
}
