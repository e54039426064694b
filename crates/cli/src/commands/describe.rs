//! `sluice describe`.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::Color;
use sluice_local::client::{EventFilter, EventRecord};
use sluice_local::store::Kind;

use super::target::{Found, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::source::{event_line, read};
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
    let source = context.source().await?;
    let namespace = source.namespace();
    let name = arguments.target.name.as_str();
    let Found { kind, object } = arguments.target.first(&source).await?;
    let filter = EventFilter {
        kind: Some(kind),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        since: None,
    };
    let events = source.events(&filter).await?;
    let lines = || events.iter().cloned().map(event_line).collect::<Vec<_>>();
    let (palette, clock) = (context.out.palette(), Clock::system());
    let (text, endpoint, children) = match kind {
        Kind::FlinkBlueGreenDeployment => {
            let mut found = source.snapshot(object.clone()).await?;
            found.events = lines();
            let children = Color::BOTH
                .iter()
                .filter_map(|color| found.child(*color).cloned());
            let children: Vec<_> = children.collect();
            (describe(&found, palette, &clock), found.endpoint, children)
        }
        Kind::FlinkDeployment => {
            let endpoint = source.endpoint(kind, &object).await?;
            let deployment: FlinkDeployment = read(object.clone())?;
            let text = describe_flink_deployment(&deployment, endpoint.as_deref(), &lines(), palette, &clock);
            (text, endpoint, Vec::new())
        }
        Kind::Ingress => {
            return Err(Failure::Usage(format!(
                "Of an Ingress there is no more than `{} get ingress {name} -o yaml` prints.",
                source.program()
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
