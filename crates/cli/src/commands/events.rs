//! `sluice events`.

use clap::Args;
use sluice_local::client::EventFilter;

use super::target::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::source::event_line;
use crate::view::Clock;
use crate::view::events::events as events_text;

/// Show what has happened, oldest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice events
  sluice events orders
  sluice events flinkdep/orders-blue
  sluice events orders -o json | jq '.[] | select(.type == \"Warning\")'")]
pub(crate) struct Arguments {
    /// Name of one resource, or KIND/NAME
    #[arg(value_name = "NAME")]
    target: Option<Target>,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let source = context.source().await?;
    let filter = EventFilter {
        namespace: Some(source.namespace().to_owned()),
        kind: arguments.target.as_ref().and_then(|target| target.kind),
        name: arguments.target.as_ref().map(|target| target.name.clone()),
        since: None,
    };
    let records = source.events(&filter).await?;
    match arguments.output {
        Format::Table => {
            let lines: Vec<_> = records.into_iter().map(event_line).collect();
            let text = events_text(
                &lines,
                arguments.target.is_none(),
                context.out.palette(),
                &Clock::system(),
            );
            context.out.text(&text)
        }
        format => context.out.value(&records, format == Format::Yaml),
    }
}
