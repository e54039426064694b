//! `sluice describe`.

use clap::Args;
use sluice_local::client::EventFilter;
use sluice_local::store::Kind;

use crate::failure::Failure;
use crate::runner::{Context, events, optional, snapshot};
use crate::view::Clock;
use crate::view::describe::{describe, describe_flink_deployment};

/// Show all that is known of one resource
///
/// The state and what is awaited, both children, conditions, savepoints, the last transitions and events. The name of a
/// child (`orders-blue`) shows that FlinkDeployment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice describe orders
  sluice describe orders-green")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let clock = Clock::system();
    let palette = context.out.palette();
    let (namespace, name) = (context.namespace(), arguments.name.as_str());
    let mut found = match snapshot(&client, namespace, name).await {
        Ok(found) => found,
        Err(not_found) => {
            return match optional(&client, Kind::FlinkDeployment, namespace, name).await? {
                Some(deployment) => {
                    context
                        .out
                        .text(&describe_flink_deployment(&deployment, palette, &clock))
                }
                None => Err(not_found),
            };
        }
    };
    let filter = EventFilter {
        kind: Some(Kind::FlinkBlueGreenDeployment),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        since: None,
    };
    found.events = events(&client, &filter).await?;
    context.out.text(&describe(&found, palette, &clock))
}
