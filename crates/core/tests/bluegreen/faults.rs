//! One test for every row of the fault table that the core decides, named after its row.
//!
//! `uNN`: what users of upstream saw. `rNN`: defects found in upstream's code. `row_NN`: scenarios, one line each on what
//! must happen. These rows belong to others:
//!
//! | row | where |
//! |---|---|
//! | 15 stale list after a restart, 17 half-open watch, 19 429 and 5xx, 20 retries exhausted | `crates/kubernetes/tests/faults` |
//! | 18 409 on a child's write | here the precondition (`row_18`); the re-read is in `crates/kubernetes/tests/faults` |
//! | 21, 22 two operators | the conditional write: `row_22`; the lease is in `crates/kubernetes/tests/faults` |
//! | 31 a deleted resource | here that nothing new begins (`row_31`); the garbage collector takes the children, and no finalizer is needed |
//! | 33 terminating namespace | `row_56` holds for every refusal; that there is no storm of errors is in `crates/kubernetes/tests/faults` |
//! | 66 the handover record | the WATERMARK strategy (later) |

mod children;
mod edits;
mod gone;
mod operators;
mod people;
mod savepoints;
mod starts;
mod status;
mod switch;

use serde_json::json;
use sluice_core::Color;

use crate::support::fixtures::resource_text;
use crate::support::shell::Simulation;

/// A resource of this upgrade mode, settled on blue.
fn active(mode: &str) -> Simulation {
    let mut simulation = Simulation::new();
    simulation.world.create(&resource_text(mode));
    simulation.settle(40);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    simulation
}

/// The same, settled on green after one upgrade, by transition 2.
fn active_green(mode: &str) -> Simulation {
    let mut simulation = active(mode);
    simulation.world.set_image("app:2");
    simulation.settle(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    simulation
}

/// A resource in mode ADVANCED, settled on blue.
fn advanced() -> Simulation {
    let mut text = resource_text("savepoint");
    text["spec"]["transitionMode"] = json!("ADVANCED");
    let mut simulation = Simulation::new();
    simulation.one_writer = true;
    simulation.world.create(&text);
    simulation.settle(40);
    simulation
}

/// Which transitions' jobs have worked on the state of the colour's job.
fn lineage(simulation: &Simulation, color: Color) -> Vec<u64> {
    simulation
        .world
        .cluster(color)
        .map(|cluster| cluster.lineage.0.clone())
        .unwrap_or_default()
}

/// The status's condition, as `status reason message`.
fn condition(simulation: &Simulation, kind: &str) -> String {
    let status = simulation.world.status();
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap_or_else(|| panic!("no condition {kind}"));
    format!("{} {} {}", found.status, found.reason, found.message)
}

/// How many lines of the story hold the text.
fn told(simulation: &Simulation, text: &str) -> usize {
    simulation.log.iter().filter(|line| line.contains(text)).count()
}

fn error(simulation: &Simulation) -> String {
    simulation.world.status().error.unwrap_or_default()
}
