//! `sluice delete`.

use std::time::Duration;

use clap::Args;
use sluice_local::store::Kind;

use crate::failure::Failure;
use crate::runner::{Context, failed, optional};

/// Delete a blue/green resource and stop its jobs
///
/// The jobs end without a savepoint: to keep the state, set `job.state: suspended` and apply that first. Savepoints and
/// checkpoints stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice delete orders
  sluice delete orders --wait")]
pub(crate) struct Arguments {
    /// Name of the resource
    name: String,

    /// Wait until it and its jobs are gone
    #[arg(long)]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = super::status::timeout)]
    timeout: Duration,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (namespace, name) = (context.namespace(), arguments.name.as_str());
    let kind = Kind::FlinkBlueGreenDeployment;
    client.delete(kind, namespace, name).await.map_err(failed)?;
    context.out.line(&format!("{kind}/{name} deleted"))?;
    if !arguments.wait {
        return Ok(());
    }
    let gone = async {
        loop {
            let version = client.info().await.map_err(failed)?.store_version;
            let mut left: Vec<String> = Vec::new();
            let resource: Option<serde_json::Value> = optional(&client, kind, namespace, name).await?;
            left.extend(resource.map(|_| name.to_owned()));
            for color in sluice_api::blue_green::Color::BOTH {
                let child = color.child_name(name);
                let found: Option<serde_json::Value> =
                    optional(&client, Kind::FlinkDeployment, namespace, &child).await?;
                left.extend(found.map(|_| child));
            }
            if left.is_empty() {
                return Ok(());
            }
            client.watch(version).await.map_err(failed)?;
        }
    };
    tokio::select! {
        result = gone => result,
        () = tokio::time::sleep(arguments.timeout) => Err(Failure::TimedOut(format!("{name} is not gone yet; `sluice get flinkdep` shows what is left."))),
    }
}
