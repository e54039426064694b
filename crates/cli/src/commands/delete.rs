//! `sluice delete`.

use std::time::Duration;

use clap::Args;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use sluice_api::blue_green::Color;
use sluice_local::client::Client;
use sluice_local::store::Kind;

use super::target::{Found, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::runner::{failed, optional, read};
use crate::source::Source;

/// Delete a resource and stop its jobs
///
/// A name alone means a FlinkBlueGreenDeployment or a FlinkDeployment. The children of a blue/green resource go with it, and
/// not by themselves.
///
/// The jobs end without a savepoint: to keep the state, set `job.state: suspended` and apply that first. Savepoints and
/// checkpoints stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice delete orders
  sluice delete orders --wait
  sluice delete flinkdep/orders")]
pub(crate) struct Arguments {
    /// Name of the resource, or KIND/NAME
    #[arg(value_name = "NAME")]
    target: Target,

    /// Wait until it and its jobs are gone
    #[arg(long)]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = super::status::timeout)]
    timeout: Duration,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let name = arguments.target.name.as_str();
    let instead = format!("kubectl delete flinkbgdep {name}");
    let local = context.runner("delete", &instead).await?;
    let found = arguments.target.only(&Source::Local(local.clone())).await?;
    let (client, namespace, kind) = (local.client, local.namespace.as_str(), found.kind);
    refuse_child(&client, namespace, name, found).await?;
    client.delete(kind, namespace, name).await.map_err(failed)?;
    context.out.line(&format!("{kind}/{name} deleted"))?;
    if !arguments.wait {
        return Ok(());
    }
    tokio::select! {
        result = gone(&client, kind, namespace, name) => result,
        () = tokio::time::sleep(arguments.timeout) => Err(Failure::TimedOut(format!("{name} is not gone yet; `sluice get flinkdep` shows what is left."))),
    }
}

/// Deleted by itself, a child would be made again at once.
async fn refuse_child(client: &Client, namespace: &str, name: &str, found: Found) -> Result<(), Failure> {
    let Found { kind, mut object } = found;
    let metadata: ObjectMeta = read(object.get_mut("metadata").map(Value::take).unwrap_or_default())?;
    let owners = metadata.owner_references.unwrap_or_default();
    let parents = owners
        .iter()
        .filter(|owner| owner.kind == Kind::FlinkBlueGreenDeployment.name());
    for owner in parents {
        let parent: Option<Value> =
            optional(client, Kind::FlinkBlueGreenDeployment, namespace, &owner.name).await?;
        let uid = parent.as_ref().and_then(|parent| parent.pointer("/metadata/uid"));
        // What belongs to nobody any more may go.
        if uid.and_then(Value::as_str) == Some(owner.uid.as_str()) {
            return Err(Failure::Refused(format!(
                "{kind} {name} belongs to the FlinkBlueGreenDeployment {parent}, which would make it again: delete that, with `sluice delete flinkbgdep/{parent}`.",
                parent = owner.name
            )));
        }
    }
    Ok(())
}

/// Waits until the object is gone, and its children if it has any.
async fn gone(client: &Client, kind: Kind, namespace: &str, name: &str) -> Result<(), Failure> {
    let mut awaited = vec![(kind, name.to_owned())];
    if kind == Kind::FlinkBlueGreenDeployment {
        awaited.extend(Color::BOTH.map(|color| (Kind::FlinkDeployment, color.child_name(name))));
    }
    loop {
        let version = client.info().await.map_err(failed)?.store_version;
        let mut left = false;
        for (kind, name) in &awaited {
            left |= optional::<Value>(client, *kind, namespace, name).await?.is_some();
        }
        if !left {
            return Ok(());
        }
        client.watch(version).await.map_err(failed)?;
    }
}
