//! `sluice get`.

use clap::Args;
use serde_json::{Value, json};
use sluice_local::store::Kind;

use super::target::{Found, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::source::read;
use crate::view::{Clock, Palette, resource, table};

/// List resources, or show one
///
/// KIND is FlinkBlueGreenDeployment (flinkbgdep, the default), FlinkDeployment (flinkdep) or Ingress. A name alone means a
/// FlinkBlueGreenDeployment or, if there is none, a FlinkDeployment. READY says whether the active job runs; PROGRESS names
/// the step of a transition.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice get
  sluice get orders
  sluice get flinkdep
  sluice get flinkbgdep orders -o yaml
  sluice get -A -o json | jq '.items[].status.blueGreenState'")]
pub(crate) struct Arguments {
    /// Kind, name, or both as KIND/NAME
    #[arg(value_name = "KIND")]
    kind: Option<String>,

    /// Name of one resource
    name: Option<String>,

    /// Resources of every namespace
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let wanted = wanted(arguments.kind.as_deref(), arguments.name)?;
    let source = context.source().await?;
    let namespace = (!arguments.all_namespaces).then(|| source.namespace());
    let is_list = matches!(wanted, Wanted::List(_));
    let (kind, mut objects) = match wanted {
        Wanted::One(target) => {
            let Found { kind, object } = target.first(&source).await?;
            (kind, vec![object])
        }
        Wanted::List(kind) => (kind, source.list(kind, namespace).await?),
    };
    match arguments.output {
        Format::Table => {}
        format => {
            let value = if is_list {
                json!({ "apiVersion": "v1", "kind": "List", "items": objects })
            } else {
                objects.pop().unwrap_or_default()
            };
            return context.out.value(&value, format == Format::Yaml);
        }
    }
    let palette = context.out.palette();
    let clock = Clock::system();
    let text = match kind {
        Kind::FlinkBlueGreenDeployment => {
            let snapshots = source.snapshots(objects, namespace).await?;
            resource::resources(&snapshots, arguments.all_namespaces, palette, &clock)
        }
        Kind::FlinkDeployment => {
            let deployments = objects.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
            resource::flink_deployments(&deployments, palette, &clock)
        }
        Kind::Ingress => ingresses(&objects, palette),
    };
    context.out.text(&text)
}

/// What is asked for.
enum Wanted {
    List(Kind),
    One(Target),
}

/// Reads `[KIND] [NAME]`, as well as `NAME` and `KIND/NAME`.
fn wanted(word: Option<&str>, name: Option<String>) -> Result<Wanted, Failure> {
    match (word, name) {
        (None, _) => Ok(Wanted::List(Kind::FlinkBlueGreenDeployment)),
        (Some(word), None) => match word.parse() {
            Ok(kind) => Ok(Wanted::List(kind)),
            Err(_) => word
                .parse()
                .map(Wanted::One)
                .map_err(|error| Failure::Usage(format!("{error}."))),
        },
        (Some(word), Some(name)) => match word.parse() {
            Ok(kind) => Ok(Wanted::One(Target {
                kind: Some(kind),
                name,
            })),
            Err(error) => Err(Failure::Usage(format!("{error}."))),
        },
    }
}

fn ingresses(objects: &[Value], palette: Palette) -> String {
    if objects.is_empty() {
        return "No Ingresses.\n".to_owned();
    }
    let text = |object: &Value, path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let rows: Vec<Vec<String>> = objects
        .iter()
        .map(|object| {
            vec![
                text(object, "/metadata/name"),
                text(object, "/spec/rules/0/host"),
                text(object, "/spec/rules/0/http/paths/0/path"),
                text(object, "/spec/rules/0/http/paths/0/backend/service/name"),
            ]
        })
        .collect();
    table(palette, &["NAME", "HOST", "PATH", "BACKEND"], &rows)
}
