//! `sluice history`.

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::view::Clock;
use crate::view::history::history;

/// Show the last ten transitions of a resource
///
/// STARTUP is how long the incoming job took to be ready, PAUSE for how long no job ran (ADVANCED mode), GUARANTEE what the
/// records that both jobs wrote add up to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice history orders
  sluice history orders -o json | jq '.[0].outcome'")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let source = context.source().await?;
    let entries = source
        .resource(&arguments.name)
        .await?
        .status
        .unwrap_or_default()
        .history;
    match arguments.output {
        Format::Table => {
            let text = history(&entries, context.out.palette(), &Clock::system());
            context.out.text(&text)
        }
        format => context.out.value(&entries, format == Format::Yaml),
    }
}
