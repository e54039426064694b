//! What is generated from the types and the rules: the CRDs, and pages of the documentation.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;
use sluice_api::{crd, settings};
use sluice_core::bluegreen::{self, course::WAYS};

/// Stands at the head of every generated file.
const HEAD: &str = "Generated from crates/api by `cargo xtask codegen`; do not edit.";

/// `FlinkBlueGreenDeployment` as YAML.
pub(crate) fn blue_green() -> Result<String> {
    yaml(&crd::blue_green())
}

/// `FlinkDeployment` as YAML.
pub(crate) fn flink_deployment() -> Result<String> {
    yaml(&crd::flink_deployment())
}

fn yaml(definition: &Value) -> Result<String> {
    Ok(format!("# {HEAD}\n{}", serde_saphyr::to_string(definition)?))
}

/// The page about the keys of `spec.configuration`.
pub(crate) fn configuration_reference() -> Result<String> {
    let mut page = format!(
        "<!-- {HEAD} -->\n\
         # Settings of the blue/green controller\n\n\
         These keys stand under `spec.configuration` of a `FlinkBlueGreenDeployment`, as strings. A key that is not set\n\
         there has the default of this table. A key that begins with `{}` and is not in this\n\
         table is refused.\n\n\
         SAVEPOINT and WATERMARK are the strategies of the transition mode ADVANCED (`bluegreen.gate.strategy` in\n\
         `flinkConfiguration`; SAVEPOINT unless it is set).\n\n\
         A duration is written as Flink writes it (`10 min`, `15s`, `500 ms`; without a unit: milliseconds) or in\n\
         ISO-8601 (`PT10M`).\n\n\
         | key | default | meaning |\n|---|---|---|\n",
        settings::key::PREFIX
    );
    for key in settings::KEYS {
        writeln!(page, "| `{}` | {} | {} |", key.name, key.default, key.meaning)?;
    }
    Ok(page)
}

/// The page about the state machine: its diagram, its ways, and the order of the rules.
pub(crate) fn state_machine() -> Result<String> {
    let mut page = "<!-- Generated from crates/core by `cargo xtask codegen`; do not edit. -->\n\
         # The state machine of a FlinkBlueGreenDeployment\n\n\
         Where a resource can be, and where it can go from there. Every decision in every test is checked against this map, and\n\
         every way of it is taken in one. The names are those of `Progressing`'s reason and of `.status.transition.step.name`;\n\
         upstream's seven states follow below.\n\n\
         ```mermaid\nstateDiagram-v2\n    [*] --> Initializing\n"
        .to_owned();
    for way in WAYS {
        writeln!(page, "    {} --> {}", way.from, way.to)?;
    }
    page.push_str("```\n\n| from | to | when |\n|---|---|---|\n");
    for way in WAYS {
        writeln!(page, "| {} | {} | {} |", way.from, way.to, way.when)?;
    }
    page.push_str(
        "\n## Upstream's states\n\n\
         `.status.blueGreenState` holds upstream's name, with x the outgoing colour and y the incoming one:\n\n\
         | step | state |\n|---|---|\n\
         | Initializing | INITIALIZING_BLUE |\n\
         | Active | ACTIVE_x |\n\
         | Savepointing, Stopping | SAVEPOINTING_x |\n\
         | Savepointed | ACTIVE_x |\n\
         | Creating, Deploying, AwaitingPromotion, Switching | TRANSITIONING_TO_y |\n\
         | InPlace, Returning | TRANSITIONING_TO_x |\n\n\
         ## The order of the rules\n\n\
         At every look the first that applies decides:\n\n",
    );
    for (number, why) in (1..).zip(bluegreen::rules()) {
        writeln!(page, "{number}. {why}")?;
    }
    Ok(page)
}
