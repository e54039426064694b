//! What is generated from the custom resources' types: the CRDs, and the table of settings in the documentation.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;
use sluice_api::{crd, settings};

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
         In this table, ADVANCED is the transition mode ADVANCED with the strategy SAVEPOINT, the only one so far.\n\n\
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
