//! `sluice describe`.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::Color;
use sluice_local::client::{EventFilter, EventRecord, Info};
use sluice_local::store::Kind;

use super::target::{Found, Target};
use crate::failure::Failure;
use crate::output::Format;
use crate::runner::{Context, around, event_line, failed, read};
use crate::view::Clock;
use crate::view::describe::{describe, describe_flink_deployment};

/// Show all that is known of one resource
///
/// The state and what is awaited, both children, conditions, savepoints, the last transitions and events. A name alone means
/// a FlinkBlueGreenDeployment or, if there is none, a FlinkDeployment, such as a child (`orders-blue`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice describe orders
  sluice describe orders-green
  sluice describe flinkdep/orders
  sluice describe orders -o json | jq '.children[].status.jobStatus'")]
pub(crate) struct Arguments {
    /// Name of the resource, or KIND/NAME
    #[arg(value_name = "NAME")]
    target: Target,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// All that is known of one resource, for programs.
#[derive(Serialize)]
struct Description {
    /// As `sluice get` prints it, with its status.
    object: Value,
    /// The address of the REST API and web UI.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// Those of a blue/green resource that are there.
    children: Vec<FlinkDeployment>,
    /// As `sluice events` prints them.
    events: Vec<EventRecord>,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let namespace = context.namespace();
    let name = arguments.target.name.as_str();
    let Found { kind, object } = arguments.target.first(&client, namespace).await?;
    let info = client.info().await.map_err(failed)?;
    let filter = EventFilter {
        kind: Some(kind),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        since: None,
    };
    let events = client.events(&filter).await.map_err(failed)?;
    let lines = || events.iter().cloned().map(event_line).collect::<Vec<_>>();
    let (palette, clock) = (context.out.palette(), Clock::system());
    let (text, endpoint, children) = match kind {
        Kind::FlinkBlueGreenDeployment => {
            let mut found = around(&client, namespace, read(object.clone())?, &info).await?;
            found.events = lines();
            let children = Color::BOTH
                .iter()
                .filter_map(|color| found.child(*color).cloned());
            let children: Vec<_> = children.collect();
            (describe(&found, palette, &clock), found.endpoint, children)
        }
        Kind::FlinkDeployment => {
            let deployment: FlinkDeployment = read(object.clone())?;
            let endpoint = rest(&info, namespace, name);
            let text = describe_flink_deployment(&deployment, endpoint.as_deref(), &lines(), palette, &clock);
            (text, endpoint, Vec::new())
        }
        Kind::Ingress => {
            return Err(Failure::Usage(format!(
                "Of an Ingress there is no more than `sluice get ingress {name} -o yaml` prints."
            )));
        }
    };
    match arguments.output {
        Format::Table => context.out.text(&text),
        format => {
            let description = Description {
                object,
                endpoint,
                children,
                events,
            };
            context.out.value(&description, format == Format::Yaml)
        }
    }
}

/// The address of one FlinkDeployment.
fn rest(info: &Info, namespace: &str, name: &str) -> Option<String> {
    let mut deployments = info.deployments.iter();
    let found = deployments.find(|it| it.namespace == namespace && it.name == name);
    found.map(|it| it.rest.clone())
}
