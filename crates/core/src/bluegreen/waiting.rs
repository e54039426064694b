//! An incoming child whose job waits until the outgoing one has stopped (strategy SAVEPOINT, with the agent).
//!
//! What makes it wait was put into it when it was created, and stays as long as it lives: it is the child's own, as what it
//! was started from is.

use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentSpec, TransitionMode};
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec};

use super::agent::{self, Agent, Preparation};
use super::child;
use super::record::Transition;
use super::view::View;
use crate::handover::Epoch;

/// Whether the shell can deliver an agent that makes a child of this specification wait.
pub fn is_possible(view: &View<'_>, color: Color, number: u64, spec: &FlinkBlueGreenDeploymentSpec) -> bool {
    manifest(view, color, number, spec).is_some()
}

/// The child of a transition, waiting; `None` where that is not possible.
pub fn of(view: &View<'_>, transition: &Transition) -> Option<FlinkDeployment> {
    manifest(view, transition.to, transition.number, &transition.spec)
}

fn manifest(
    view: &View<'_>,
    color: Color,
    number: u64,
    spec: &FlinkBlueGreenDeploymentSpec,
) -> Option<FlinkDeployment> {
    if view.observed.agent == Agent::None {
        return None;
    }
    let preparation = Preparation {
        mode: TransitionMode::Advanced,
        color,
        created_for: Epoch(number),
        // It goes on with the sinks of the outgoing job, and nothing forks.
        sink_epoch: 0,
        awaits_savepoint: true,
        agent: view.observed.agent.clone(),
    };
    // What it starts from it is told when it may.
    let plain = child::manifest(view.resource(), color, number, spec, None);
    let prepared = agent::prepare(&plain, &preparation).ok()?;
    awaits_savepoint(&prepared).then_some(prepared)
}

/// Whether the job of this child waits, whenever its JobManager starts, until the handover record names it.
pub fn awaits_savepoint(child: &FlinkDeployment) -> bool {
    Preparation::of(child).is_some_and(|preparation| preparation.awaits_savepoint)
}

/// What a child has to be, with what makes it wait as `present` bears it.
pub fn kept(present: &FlinkDeployment, wanted: FlinkDeployment) -> FlinkDeploymentSpec {
    let prepared =
        Preparation::of(present).and_then(|preparation| agent::prepare(&wanted, &preparation).ok());
    prepared.unwrap_or(wanted).spec
}
